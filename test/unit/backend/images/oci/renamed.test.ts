/** Archives of images: they come in under the name that is wanted, whatever names they have. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import tar from 'tar-stream';
import { renamedImage } from '../../../../../src/backend/images/oci/renamed';

async function archive(members: Readonly<Record<string, string>>): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(members)) {
    pack.entry({ name }, content);
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
