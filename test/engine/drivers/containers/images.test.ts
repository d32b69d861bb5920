import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { PullProgress } from '../../../../src/backend/drivers/driver';
import { archiveOf } from '../../../../src/backend/tar/archive';
import { toReadable } from '../../../../src/backend/drivers/containers/engine/streams';
import { Registry } from './registry';
import { Bench, eventually, imagesDirectory, never, text } from './support';
import { skipWithout } from '../../../support/skip';

const layerBytes = 6 * 1024 * 1024;

describe('images', function () {
  this.timeout(180_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  it('are listed with those who use them, and resolved', async () => {
    const image = await bench.bareImage();
    const plan = await bench.plan({ image });
    await bench.driver.create(plan, never());
    const id = await bench.driver.images.resolve(image);
    const found = (await bench.driver.images.list()).find((one) => one.id === id);
    assert.deepEqual(found?.tags, [image]);
    assert.deepEqual(found.usedBy, [plan.name]);
    assert.ok(found.sizeBytes > 500_000);
    assert.equal(await bench.driver.images.resolve('no-such-image:1'), undefined);
  });

  describe('of a registry behind a slow link', () => {
    let registry: Registry;
    let close = (): Promise<void> => Promise.resolve();
    let name: string;
    before(async function () {
      if (spawnSync('docker-registry', ['--version']).error !== undefined) {
        skipWithout(this, 'docker-registry is not installed');
      }
      registry = await Registry.open(2 * 1024 * 1024);
      close = () => registry.close();
      const tar = await archiveOf([{ name: 'noise', mode: 0o644, content: randomBytes(layerBytes) }]);
      const image = await bench.importImage(Readable.from([tar]), ['CMD ["/none"]']);
      name = `${bench.prefix}/noise`;
      const pushed = `${registry.direct}/${name}`;
      await bench.docker.getImage(image).tag({ repo: pushed, tag: '1' });
      const push = await bench.docker
        .getImage(`${pushed}:1`)
        .push({ authconfig: { username: '', password: '', serveraddress: '' } });
      assert.doesNotMatch(await text(toReadable(push)), /"error"/);
      for (const tag of [`${pushed}:1`, image]) {
        await bench.docker.getImage(tag).remove({ force: true });
      }
    });
    after(() => close());

    it('are pulled with progress that only grows, up to the end', async () => {
      const image = `${registry.slow}/${name}:1`;
      const seen: PullProgress[] = [];
      await bench.driver.images.pull(image, (progress) => seen.push({ ...progress }), never());
      bench.forget(image);
      const done = seen.map((progress) => progress.done);
      assert.deepEqual(
        done,
        done.toSorted((a, b) => a - b),
      );
      assert.ok(new Set(done).size > 5, `${new Set(done).size} different figures`);
      assert.ok(Math.abs(seen.at(-1)!.total - layerBytes) < 100_000, `total ${seen.at(-1)!.total}`);
      assert.equal(seen.at(-1)!.done, seen.at(-1)!.total);
      assert.ok(await bench.driver.images.resolve(image));
      await bench.docker.getImage(image).remove({ force: true });
    });

    it('stop coming when the pull is cancelled', async () => {
      const image = `${registry.slow}/${name}:1`;
      const abort = new AbortController();
      const pull = bench.driver.images.pull(
        image,
        ({ done }) => {
          if (done > 500_000) {
            abort.abort();
          }
        },
        abort.signal,
      );
      await assert.rejects(pull, { code: 'cancelled' });
      await new Promise((wake) => setTimeout(wake, 500));
      const carried = registry.carried;
      await new Promise((wake) => setTimeout(wake, 700));
      assert.ok(registry.carried - carried < 100_000, `${registry.carried - carried} bytes after the cancel`);
      assert.equal(await bench.driver.images.resolve(image), undefined);
    });

    it('that are not there are said to be missing', async () => {
      const pull = (image: string): Promise<void> =>
        bench.driver.images.pull(image, () => undefined, never());
      await assert.rejects(pull(`${registry.direct}/${name}:no-such`), { code: 'image_missing' });
      await assert.rejects(pull(`${registry.direct}/no/such:1`), { code: 'image_missing' });
    });
  });

  it('of a registry that does not answer are said to be out of reach', async () => {
    const pull = bench.driver.images.pull('127.0.0.1:1/x:1', () => undefined, never());
    await assert.rejects(pull, {
      ...{ code: 'runtime_unavailable', message: /: the registry can not be reached\./ },
      hint: /name of the image/,
    });
  });

  it('are built in named steps, with the output of the builder', async function () {
    if ((await bench.driver.images.resolve('berth-base:bookworm')) === undefined) {
      skipWithout(this, 'the image berth-base:bookworm is not here');
    }
    const steps: string[] = [];
    const lines: string[] = [];
    await bench.driver.images.build(
      { noCache: false, toolsOnly: true },
      async (id, _title, run) => {
        steps.push(id);
        return run();
      },
      (line) => lines.push(line),
      never(),
    );
    assert.deepEqual(steps, ['base', 'tools']);
    assert.ok(
      lines.some((line) => line.startsWith('Successfully tagged berth-tools:')),
      lines.slice(-3).join('\n'),
    );
  });

  it('stop being built when the build is cancelled', async function () {
    if ((await bench.driver.images.resolve('berth-base:bookworm')) === undefined) {
      skipWithout(this, 'the image berth-base:bookworm is not here');
    }
    const abort = new AbortController();
    const begin = Date.now();
    const build = bench.driver.images.build(
      { noCache: false, toolsOnly: true },
      (_id, _title, run) => run(),
      () => abort.abort(),
      abort.signal,
    );
    await assert.rejects(build, { code: 'cancelled' });
    assert.ok(Date.now() - begin < 10_000);
    await eventually('no container of the builder', async () => {
      const running = await bench.docker.listContainers();
      return !running.some(({ Command }) => Command.includes(imagesDirectory));
    });
  });
});
