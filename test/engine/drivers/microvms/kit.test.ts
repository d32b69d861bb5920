import assert from 'node:assert/strict';
import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../../src/api/errors';
import { buildExt4 } from '../../../../src/backend/files/disk/filling/build';
import { containerGatherer, type Gatherer } from '../../../../src/backend/drivers/microvms/kit/gatherers';
import { GuestKitStore } from '../../../../src/backend/drivers/microvms/kit/kit';
import { runProgram } from '../../../support/programs';
import { useTempFolder } from '../../../support/temp';
import { until } from '../../../support/wait';
import { exporter, imagesDirectory, installation, testKit } from './driver-parts';
import { never } from './guest-bench';

const script = join(imagesDirectory, 'guest', 'gather.sh');
const inContainer = containerGatherer(script, 'workspace:latest', (...run) => exporter.runScript(...run));
const noDebian: Gatherer = {
  kernel: () => Promise.reject(new BerthError('not_supported', 'no packages here')),
  into: () => Promise.reject(new Error('not asked')),
};

describe('a guest kit of packages from a container', function () {
  this.timeout(300_000);
  const folder = useTempFolder();
  const store = (gatherers: readonly Gatherer[]) =>
    new GuestKitStore({
      ...{ home: folder(), images: imagesDirectory, gatherers, buildExt4 },
      tools: (signal) => exporter.tools(signal),
    });
  /** Of this process: others use this daemon meanwhile. */
  const containers = async (): Promise<string> => {
    const labels = ['role=tools', `installation=${installation}`].flatMap((each) => [
      '--filter',
      `label=berth.${each}`,
    ]);
    return (await runProgram('docker', ['ps', '-aq', ...labels], { timeoutMs: 30_000 })).stdout;
  };

  it('is made where this machine has none, and is as good as one of its own', async () => {
    const said: string[] = [];
    const before = await containers();
    // Of engines that were killed, or are at it.
    const [old, young] = ['.draft-old', '.draft-young'].map((name) => join(folder(), 'guest', name));
    for (const draft of [old!, young!]) await mkdir(join(draft, 'gathered'), { recursive: true });
    await utimes(old!, new Date(0), new Date(0));
    const kit = await store([noDebian, inContainer]).build((line) => said.push(line), never());
    const own = await testKit();
    assert.equal(kit.version.split('-').at(-1), own.version.split('-').at(-1), 'the same recipe');
    assert.ok(said.includes('no packages here'), said.join('\n'));
    const names = (path: string): Promise<string[]> => readdir(join(path, '..')).then((all) => all.sort());
    assert.deepEqual(await names(kit.kernel), await names(own.kernel));
    assert.equal(await containers(), before, 'no container is left');
    assert.deepEqual((await readdir(join(folder(), 'guest'))).sort(), ['.draft-young', kit.version]);
    const again: string[] = [];
    assert.equal((await store([inContainer]).build((line) => again.push(line), never())).hash, kit.hash);
    assert.ok(again.some((line) => line.endsWith('is there.')));
  });

  it('says why when there is none to be had, and leaves nothing', async () => {
    const failing = containerGatherer('/dev/null', 'workspace:latest', () =>
      Promise.reject(new BerthError('runtime_unavailable', 'No container engine answers.')),
    );
    await assert.rejects(
      store([noDebian, failing]).build(() => undefined, never()),
      {
        code: 'runtime_unavailable',
      },
    );
  });

  it('leaves nothing when it is cancelled', async () => {
    const before = await containers();
    const ending = new AbortController();
    const building = store([inContainer]).build(() => ending.abort(), ending.signal);
    await assert.rejects(building, { code: 'cancelled' });
    await until('the container is gone', async () => (await containers()) === before, 30_000, 200);
    assert.deepEqual(
      (await readdir(folder())).filter((name) => name.startsWith('.draft')),
      [],
    );
    assert.deepEqual(await readdir(join(folder(), 'guest')).catch(() => []), []);
  });
});
