import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Host, waitingMark } from '../../../../src/backend/drivers/microvms/machines/host';
import { whyNot } from '../../../../src/backend/drivers/microvms/qemu/acceleration';
import type { MachinePlan } from '../../../../src/backend/drivers/microvms/qemu/command-line';
import { findQemu, ownQemuEnvironment } from '../../../../src/backend/drivers/microvms/qemu/programs';
import { MicrovmFiles } from '../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import { machinesOf } from '../../../support/runtimes/microvms';
import { kits, quiet, testKit } from './driver-parts';

describe('the acceleration of microVMs', function () {
  this.timeout(300_000);
  let home: string;
  before(async () => {
    await testKit();
    home = await mkdtemp(join(tmpdir(), 'berth-vm-'));
  });
  after(async () => {
    assert.deepEqual(await machinesOf(home), []);
    await rm(home, { recursive: true, force: true });
  });

  const environment = ownQemuEnvironment();
  const hostOf = (changes: object = {}): Host =>
    new Host({
      files: new MicrovmFiles(home),
      kits,
      log: quiet,
      environment: { ...environment, ...changes },
    });

  it('is found by booting, once per boot of this machine, and a guest really runs with it', async () => {
    const started = performance.now();
    const { acceleration, kit, programs } = await hostOf().tools();
    assert(performance.now() - started < 30_000, 'a device that hangs must not hold it up');
    const again = performance.now();
    assert.equal((await hostOf().tools()).acceleration, acceleration);
    assert(performance.now() - again < 2_000, 'the second answer is from the first');
    assert.deepEqual(
      (await readdir(home)).filter((name) => name !== 'acceleration.json'),
      [],
    );
    const { consoleLog, pidFile, sockets } = new MicrovmFiles(home).inFolder(home);
    const plan: MachinePlan = {
      ...{ architecture: environment.architecture, acceleration, cpus: 1, memoryMiB: 256 },
      ...{ kernel: kit.kernel, initrd: kit.initrd, kernelArguments: kit.kernelArguments },
      ...{
        name: 'probe',
        uuid: randomUUID(),
        sshPort: undefined,
        isOffline: true,
        isFiltered: false,
        incoming: undefined,
      },
      disks: [{ serial: 'tools', file: kit.toolsDisk, format: 'raw', readOnly: true }],
      ...{ consoleLog, pidFile, sockets },
    };
    const probe = {
      programs,
      environment,
      cacheFile: '',
      marker: waitingMark,
      machine: () => plan,
    };
    assert.equal(await whyNot(probe, acceleration, 120_000), undefined);
  });

  it('is looked for again after a boot of this machine, or with another QEMU', async () => {
    const cache = join(home, 'acceleration.json');
    const text = await readFile(cache, 'utf8').catch(() => undefined);
    if (text === undefined) {
      // Nothing to probe here: emulation it is, without a word on disk.
      assert.equal((await hostOf().tools()).acceleration, 'tcg');
      return;
    }
    const known = JSON.parse(text) as { acceleration: string; bootId: string };
    const wrong = known.acceleration === 'tcg' ? 'kvm' : 'tcg';
    const failedAt = new Date().toISOString();
    await writeFile(cache, JSON.stringify({ ...known, acceleration: wrong, failedAt }));
    assert.equal((await hostOf().tools()).acceleration, wrong);
    await writeFile(cache, JSON.stringify({ ...known, acceleration: wrong, bootId: 'another' }));
    assert.equal((await hostOf().tools()).acceleration, known.acceleration);
  });

  it('says what to install where there is no QEMU', async () => {
    const nowhere = {
      env: { PATH: home },
      platform: 'aix' as const,
      architecture: environment.architecture,
    };
    await assert.rejects(findQemu(nowhere), {
      code: 'runtime_unavailable',
      message: /QEMU is not installed: there is no qemu-system-\S+ and no qemu-img/,
      hint: /Install it/,
    });
  });
});
