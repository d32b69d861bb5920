/** An image of a few files around busybox: small enough to be made, copied and pushed by every test. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type Dockerode from 'dockerode';
import { Readable } from 'node:stream';
import { toReadable } from '../../../src/backend/drivers/containers/engine/streams';
import { imageOf, tarOf, type ImageParts, type Member } from '../../support/images';

const applets = [
  'sh',
  'cat',
  'ls',
  'stat',
  'id',
  'echo',
  'mkdir',
  'rm',
  'ln',
  'chmod',
  'chown',
  'env',
  'test',
  'touch',
];

export async function smallFiles(): Promise<Member[]> {
  return [
    { name: 'bin/busybox', mode: 0o755, content: await readFile('/bin/busybox') },
    ...applets.map((name): Member => ({ name: `bin/${name}`, type: 'symlink', linkName: 'busybox' })),
    { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n' },
    { name: 'etc/group', content: 'root:x:0:\n' },
    { name: 'tmp', type: 'directory', mode: 0o1777 },
    { name: 'marker', content: 'of the base\n' },
  ];
}

export const smallConfig = { Env: ['PATH=/bin', 'OF_IMAGE=yes'], Cmd: ['/bin/cat', '/marker'] };

/** In two layers: what the upper one says counts. */
export async function smallImage(): Promise<ImageParts> {
  const upper: Member[] = [
    { name: 'marker', content: 'of the upper layer\n' },
    { name: 'etc/.wh.group' },
    { name: 'opt/own', uid: 7, gid: 8, mode: 0o2711, content: 'x' },
  ];
  return imageOf([await smallFiles(), upper], { config: smallConfig });
}

/** Into the container engine, under a name. */
export async function importSmall(docker: Dockerode, name: string): Promise<void> {
  const [repo, tag] = name.split(':');
  const tar = gzipSync(tarOf(await smallFiles()));
  const changes = ['ENV PATH=/bin OF_IMAGE=yes', 'CMD ["/bin/cat","/marker"]'];
  const answer = await docker.importImage(Readable.from([tar]), { repo, tag, changes });
  await new Promise((resolve, reject) => {
    toReadable(answer).on('end', resolve).on('error', reject).resume();
  });
}
