/** Workspaces from images that no container engine has. Containers have theirs from their engine alone. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buildExt4 } from '../../../src/backend/files/disk/filling/build';
import { Repository } from '../../../src/backend/images/oci/registry';
import { pushImage } from '../../../src/backend/images/oci/transfer';
import { Layout } from '../../../src/backend/images/oci/layout';
import { eventually, useEngineHarness } from '../../support/engine/engine-harness';
import { failure } from '../../support/errors';
import { imageOf, LayoutMaker, savedOf, tarOf } from '../../support/images';
import { succeed } from '../../support/programs';
import { column, testTimeoutMs } from '../../support/runtimes/columns';
import { microvmCache } from '../../support/runtimes/microvms';
import { Registry } from '../drivers/containers/registry';
import { smallFiles, smallImage } from './small-image';

const none = new AbortController().signal;

function describeMicrovms(title: string, tests: (this: Mocha.Suite) => void): void {
  if (column === 'microvm') {
    describe(title, tests);
  }
}

describeMicrovms('image sources', function () {
  this.timeout(testTimeoutMs);
  // The engine that would have been asked first does not answer.
  const harness = useEngineHarness({ env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
  const path = (name: string) => join(harness().folder, name);
  const made: string[] = [];
  after(async () => {
    for (const id of made) {
      await harness().runtime.forgetImage(id);
    }
  });

  /** Boots it, looks inside as root, deletes it. */
  async function inside(image: string, script: string): Promise<string> {
    const workspace = await harness().create({ image });
    made.push(workspace.imageId ?? '');
    try {
      assert(workspace.steps.some(({ name, outcome }) => name === 'prepare' && outcome === 'done'));
      return await harness().exec(workspace.name, ['sh', '-c', script], { user: 'root' });
    } finally {
      await harness().delete(workspace.name);
    }
  }
  const look = 'cat /marker; stat -c "%a %u %g" /opt/own; echo "$OF_IMAGE"';
  const seen = 'of the upper layer\n2711 7 8\nyes';

  it('an OCI image layout', async () => {
    const layout = await new LayoutMaker().add(await smallImage()).write(path('layout'));
    assert.equal(await inside(`oci:${layout}`, look), seen);
  });

  it('what docker save wrote', async () => {
    await writeFile(path('saved.tar'), savedOf([{ image: await smallImage(), tags: ['small:1'] }]));
    assert.equal(await inside(`docker-archive:${path('saved.tar')}:small:1`, look), seen);
  });

  it('a disk with a file system in it, which stays as it was', async () => {
    const disk = path('disk.ext4');
    await buildExt4(disk, Readable.from([tarOf(await smallFiles())]), { sizeMiB: 256 });
    const before = await succeed('sha256sum', [disk]);
    assert.equal(await inside(disk, 'echo changed >/marker; cat /marker'), 'changed');
    assert.equal(await succeed('sha256sum', [disk]), before);
  });

  it('a registry, without any container engine', async () => {
    const registry = await Registry.open(1024 ** 3);
    try {
      const name = `${registry.direct}/${harness().prefix}/small:1`;
      const maker = new LayoutMaker();
      const descriptor = maker.manifest(await smallImage());
      const layout = new Layout(await maker.write(path('pushed')));
      const options = { progress: () => undefined, signal: none };
      await pushImage(
        layout,
        descriptor,
        new Repository(name, () => Promise.resolve(undefined), 'pull,push'),
        options,
      );
      assert.equal(await inside(name, look), seen);
      const images = await harness().client.call('images.list', {});
      assert(images.some(({ tags }) => tags.includes(name)));
      await harness().client.call('images.remove', { body: { image: name } });
    } finally {
      await registry.close();
    }
  });

  it('nothing at all is told before anything is made', async () => {
    for (const image of ['oci:/nowhere', 'docker-archive:/nowhere.tar', '/nowhere.ext4', 'oci:./relative']) {
      const error = await failure(harness().create({ image }));
      assert.match(error.code, /image_missing|not_found|bad_request/, image);
    }
    assert.deepEqual(await harness().client.call('workspaces.list', {}), []);
  });

  it('is cancelled while its root file system is made, and nothing is left', async () => {
    const many = Array.from({ length: 5_000 }, (_, n) => ({ name: `many/${n}`, content: String(n) }));
    const image = imageOf([await smallFiles(), many]);
    const layout = await new LayoutMaker().add(image).write(path('many'));
    const name = harness().name();
    const begun = await harness().beginCreate(name, { image: `oci:${layout}` });
    const { client } = harness();
    const params = { id: begun.id };
    await eventually('progress', async () => {
      const { progress } = await client.call('operations.get', { params });
      return progress?.unit === 'bytes' && progress.done > 0;
    });
    await client.call('operations.cancel', { params });
    await failure(harness().done(begun), 'cancelled');
    assert.deepEqual(await client.call('workspaces.list', {}), []);
    const left = await readdir(join(microvmCache, 'images', 'rootfs'));
    assert(!left.some((file) => file.startsWith(image.id.slice('sha256:'.length))));
  });
});
