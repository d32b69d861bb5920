/** No text of an image becomes a command on this machine, whichever door it comes in by. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { buildExt4 } from '../../../../../../src/backend/files/disk/filling/build';
import { refreshBundles } from '../../../../../../src/backend/drivers/microvms/runtimes/bundles';
import { mediaTypes } from '../../../../../../src/backend/images/oci/documents';
import { commitDisk } from '../../../../../../src/backend/drivers/microvms/rootfs/commit';
import type { ImageExporter } from '../../../../../../src/backend/drivers/microvms/rootfs/exporter';
import { ownArchitecture } from '../../../../../../src/backend/images/oci/image';
import type { RuntimeFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import { bundleFile } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-plan';
import type { RuntimePlan } from '../../../../../../src/backend/drivers/driver';
import { Ext4, rootInode } from '../../../../../../src/backend/ext4/file-system';
import { imageOf, LayoutMaker, savedOf, tarOf, type Member } from '../../../../../support/images';
import { useTempFolder } from '../../../../../support/temp';
import { checkClean, never, silent, storeIn } from './store';

const config = { env: [], user: '', workdir: '', entrypoint: [], cmd: [] };
const value = Buffer.from('v\n!touch /nowhere\n');

describe('what an image says', function () {
  this.timeout(60_000);
  const temp = useTempFolder();
  // Relative: it would run in the folder of these tests, or of whatever runs it.
  const markers = () => ['name', 'link', 'long', 'file', 'hard'].map((name) => join(temp(), name));
  const options = { progress: silent, signal: never };

  /** Every way in which a line of a script for debugfs could have been begun. */
  function members(): Member[] {
    const [name = '', link = '', long = '', file = '', hard = ''] = markers().map((path) => `!touch ${path}`);
    const line = 8191 - 'symlink "./long" "'.length;
    return [
      { name: 'plain', content: 'x', xattrs: new Map([[`user.a\n${name}\n`, value]]) },
      { name: 'link', type: 'symlink', linkName: `a\n${link}\n` },
      { name: 'short', type: 'symlink', linkName: `b\n!x\n` },
      { name: 'long', type: 'symlink', linkName: `${'x'.repeat(line)}${long}` },
      // A path has slashes: only a part of it can be a name.
      { name: `f\n${file.replaceAll('/', '_')}\n`, content: 'y' },
      { name: `h"\n${hard.replaceAll('/', '_')}\n`, type: 'link', linkName: 'plain' },
      { name: `c\n!touch berth-marker\n`, content: 'z' },
    ];
  }

  /** `within`: how links may be told that lead out of a bundle. */
  async function check(image: string): Promise<void> {
    for (const marker of [...markers(), join(temp(), 'berth-marker'), 'berth-marker']) {
      assert(!existsSync(marker), `${marker} was made`);
    }
    await checkClean(image);
    const fs = Ext4.open(image);
    try {
      const at = (name: string) => fs.lookup(rootInode, name);
      const [, link, short, , file, hard, other] = members();
      assert.equal(fs.readLink(fs.inode(at('link')!)), link!.linkName);
      assert.equal(fs.readLink(fs.inode(at('short')!)), short!.linkName);
      assert.equal(at('long'), undefined);
      assert.equal(at(hard!.name), at('plain'));
      assert(at(file!.name) !== undefined && at(other!.name) !== undefined);
      const attributes = fs.attributes.list(at('plain')!);
      assert.deepEqual([...attributes], [...(members()[0]!.xattrs ?? [])]);
    } finally {
      fs.close();
    }
  }

  const ensure = async (reference: string, exporter?: ImageExporter): Promise<string> => {
    const store = storeIn(temp(), exporter === undefined ? {} : { exporter });
    return (await store.ensure(reference, silent, never)).path;
  };

  it('is no command in a layout', async () => {
    const layout = await new LayoutMaker().add(imageOf([members()])).write(join(temp(), 'layout'));
    await check(await ensure(`oci:${layout}`));
  });

  it('is none in an archive of docker save', async () => {
    const path = join(temp(), 'saved.tar');
    await writeFile(path, savedOf([{ image: imageOf([members()]), tags: ['x:1'] }]));
    await check(await ensure(`docker-archive:${path}:x:1`));
  });

  it('is none in an image of a registry', async () => {
    const maker = new LayoutMaker();
    const manifest = maker.manifest(imageOf([members()]), { pack: gzipSync });
    const server = createServer(({ url = '' }, response) => {
      const digest = url.endsWith('/1') ? manifest.digest : url.slice(url.lastIndexOf('/') + 1);
      const type = url.includes('/manifests/') ? mediaTypes.manifest : 'x/y';
      response
        .writeHead(200, { 'content-type': type })
        .end(maker.files.get(`blobs/sha256/${digest.slice('sha256:'.length)}`));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    try {
      const name = `127.0.0.1:${(server.address() as AddressInfo).port}/group/x:1`;
      const store = storeIn(temp());
      await store.pull(name, options);
      await check((await store.ensure(name, silent, never)).path);
    } finally {
      server.close();
    }
  });

  it('is none in what a container engine exports, a committed container too', async () => {
    const tar = tarOf(members());
    await check(
      await ensure('x:1', {
        find: () =>
          Promise.resolve({
            ...{ id: `sha256:${'1'.repeat(64)}`, os: 'linux', architecture: ownArchitecture() },
          }),
        exportFiles: () => Promise.resolve(Readable.from([tar])),
        config: () => Promise.resolve({ config, sizeBytes: tar.length }),
      }),
    );
  });

  it('is none in a bundle', async () => {
    const source = join(temp(), 'bundle.tar');
    await writeFile(source, tarOf(members()));
    const files = { folder: join(temp(), 'runtime') } as RuntimeFiles;
    const plan = { mounts: [{ kind: 'archive', source, target: '/in' }] } as unknown as RuntimePlan;
    await refreshBundles(plan, files, buildExt4, never);
    await check(bundleFile(files, 0));
  });

  it('is none in a commit of a disk', async () => {
    const disk = join(temp(), 'disk.ext4');
    await mkdir(join(temp(), 'home'), { recursive: true });
    await buildExt4(disk, Readable.from([tarOf(members())]), { sizeMiB: 64 });
    const store = storeIn(temp());
    const source = { name: 'demo', disk, config, without: [] };
    const { descriptor } = await commitDisk(source, store.own.committed, options);
    await store.own.committed.tag('mine:1', descriptor);
    await check((await store.ensure('mine:1', silent, never)).path);
  });
});
