/** Archives of images: they come in under the name that is wanted, whatever names they have. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import tar, { type Header } from 'tar-stream';
import { renamedImage } from '../../../../../src/backend/images/oci/renamed';

type Headers = Partial<Header> & Pick<Header, 'name'>;

async function archive(members: Readonly<Record<string, string>>): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(members)) {
    pack.entry({ name }, content);
  }
  pack.finalize();
  return buffer(pack);
}

/** Members as they are, also the same twice. */
async function archiveOf(members: readonly (Headers & { content?: string })[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { content = '', ...header } of members) {
    if (header.type === undefined || header.type === 'file') {
      pack.entry(header, content);
    } else {
      pack.entry(header);
    }
  }
  pack.finalize();
  return buffer(pack);
}

async function membersOf(bytes: Buffer): Promise<Record<string, string>> {
  const extract = tar.extract();
  const found: Record<string, string> = {};
  extract.on('entry', (header, content, next) => {
    void buffer(content).then((read) => {
      found[header.name] = read.toString();
      next();
    });
  });
  const ended = new Promise<void>((resolve, reject) =>
    extract.on('finish', () => resolve()).on('error', reject),
  );
  extract.end(bytes);
  await ended;
  return found;
}

const renamed = async (bytes: Buffer): Promise<Record<string, string>> =>
  membersOf(await buffer(renamedImage(Readable.from([bytes]), 'mine/image:1')));

describe('an image under another name', () => {
  it('has no name of its archive, of any form, and all else as it was', async () => {
    const found = await renamed(
      await archive({
        'blobs/sha256/a': 'layer',
        'manifest.json': '[{"Config":"c","RepoTags":["ubuntu:latest","workspace:latest"],"Layers":["l"]}]',
        'index.json':
          '{"schemaVersion":2,"manifests":[{"digest":"d","annotations":{"io.containerd.image.name":"docker.io/library/ubuntu:latest"}}]}',
        repositories: '{"ubuntu":{"latest":"x"}}',
      }),
    );
    assert.equal(found['blobs/sha256/a'], 'layer');
    assert.deepEqual(JSON.parse(found['manifest.json'] ?? ''), [
      { Config: 'c', RepoTags: ['mine/image:1'], Layers: ['l'] },
    ]);
    assert.doesNotMatch(JSON.stringify(found), /ubuntu|workspace/);
    assert.match(found['index.json'] ?? '', /"docker.io\/mine\/image:1"/);
  });

  const images = '[{"Config":"c","RepoTags":["workspace:latest"],"Layers":["l"]}]';
  const hex = (digit: string): string => digit.repeat(64);
  const member = (name: string, more: Partial<Headers> = {}): Headers & { content: string } => ({
    ...{ name, content: images, ...more },
  });

  it('has no member that is another one for whoever unpacks it', async () => {
    const sure = member('manifest.json');
    const hostile: (Headers & { content?: string })[][] = [
      ...[
        '././manifest.json',
        '/manifest.json',
        'x/../manifest.json',
        './/manifest.json',
        'manifest.json/.',
      ].map((name) => [member(name)]),
      ...['../manifest.json', 'x//y', 'x/./y', 'x\\y', '..', '.', ' manifest.json', 'x\n'].map((name) => [
        sure,
        member(name),
      ]),
      [sure, member('manifest.json')],
      [sure, member('./manifest.json')],
      [sure, member('d', { type: 'directory' }), member('d')],
      [{ name: 'manifest.json', type: 'directory' }],
      [{ name: 'd', type: 'symlink', linkname: '.' }, member('d/manifest.json')],
      [{ name: `${hex('a')}/layer.tar`, type: 'symlink', linkname: '..' }],
      [{ name: `${hex('a')}/layer.tar`, type: 'symlink', linkname: `../../${hex('b')}/layer.tar` }],
      [{ name: 'manifest.json', type: 'symlink', linkname: `../${hex('b')}/layer.tar` }],
      ...(['link', 'fifo', 'character-device', 'block-device'] as const).map((type) => [
        sure,
        { name: 'other', type, linkname: 'manifest.json' },
      ]),
    ];
    for (const members of hostile) {
      await assert.rejects(
        archiveOf(members).then(renamed),
        { code: 'bad_request', field: 'image' },
        JSON.stringify(members),
      );
    }
  });

  it('has headers of ours, whatever names are beside those of the archive', async () => {
    const pax = { 'GNU.sparse.name': 'manifest.json', 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' };
    const bytes = await archiveOf([member('other', { pax })]);
    const out = await buffer(renamedImage(Readable.from([bytes]), 'mine/image:1'));
    assert.deepEqual(await membersOf(out), { other: images });
    assert.doesNotMatch(out.toString('latin1'), /GNU\.sparse|Pax/);
  });

  it('has all members of what Docker and Podman save, in their forms', async () => {
    const [a, b] = [hex('a'), hex('b')];
    const folder = (name: string): Headers => ({ name, type: 'directory' });
    const link = (linkname: string): Headers => ({ name: `${b}/layer.tar`, type: 'symlink', linkname });
    const forms: (Headers & { content?: string })[][] = [
      [
        folder(`${a}/`),
        member(`${a}/VERSION`),
        member(`${a}/json`),
        member(`${a}/layer.tar`),
        folder(`${b}/`),
      ],
      [folder('blobs/'), folder('blobs/sha256/'), member(`blobs/sha256/${a}`), member('oci-layout')],
      [folder('./'), folder('./blobs'), folder('./blobs'), member(`./${a}.json`), member(`./${a}.tar`)],
      [member(`${a}/layer.tar`), link(`../${a}/layer.tar`)],
      [member(`${a}.tar`), link(`../${a}.tar`), member(`${a}.json`)],
    ];
    for (const members of forms) {
      const found = await renamed(await archiveOf([...members, member('manifest.json')]));
      const plain = (name: string): string => name.replace(/^\.\//, '').replace(/\/$/, '');
      assert.deepEqual(
        Object.keys(found).map(plain),
        [...new Set([...members.map(({ name }) => plain(name)), 'manifest.json'])].filter(
          (name) => name !== '',
        ),
      );
      assert.match(found['manifest.json'] ?? '', /"mine\/image:1"/);
    }
  });

  it('is one image, and an archive that is whole', async () => {
    const two = await archive({ 'manifest.json': '[{},{}]' });
    await assert.rejects(renamed(two), { code: 'bad_request', message: /names 2 images/ });
    await assert.rejects(renamed(await archive({ 'manifest.json': 'no' })), { code: 'bad_request' });
    const whole = await archive({ layer: 'x'.repeat(100_000), 'manifest.json': '[{}]' });
    await assert.rejects(renamed(whole.subarray(0, 50_000)));
  });

  it('ends with the error of what it is read from', async () => {
    const bytes = await archive({ layer: 'x'.repeat(1_000_000) });
    async function* cut(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(bytes.subarray(0, 500_000));
      throw new Error('cut off');
    }
    await assert.rejects(buffer(renamedImage(Readable.from(cut()), 'mine/image:1')), /cut off/);
  });
});
