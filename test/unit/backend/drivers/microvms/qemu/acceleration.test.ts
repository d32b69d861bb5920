/** What is remembered of a probe, with a QEMU that succeeds or fails as it is told. */
import assert from 'node:assert/strict';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findAcceleration } from '../../../../../../src/backend/drivers/microvms/qemu/acceleration';
import type { MachinePlan } from '../../../../../../src/backend/drivers/microvms/qemu/command-line';
import { useTempFolder } from '../../../../../support/temp';

const program = `#!/bin/sh
here=\${0%/*}
echo started >>"$here/starts"
[ ! -e "$here/fails" ] || { echo 'the processor is in other hands' >&2; exit 1; }
for word; do case "$word" in file,id=console,path=*) word=\${word#*path=}; echo SPOKEN >>"\${word%%,*}" ;; esac; done
exec sleep 5
`;

describe('what is known of the acceleration', () => {
  const folder = useTempFolder();
  const at = (name: string) => join(folder(), name);
  const starts = async () => (await readFile(at('starts'), 'utf8').catch(() => '')).split('\n').length - 1;

  beforeEach(async () => {
    await writeFile(at('qemu'), program);
    await chmod(at('qemu'), 0o755);
  });

  function find() {
    const sockets = { qmp: at('q'), control: at('c'), ssh: at('s'), filterOut: at('o'), filterIn: at('i') };
    const plan: MachinePlan = {
      ...{ architecture: 'x64', acceleration: 'hvf', cpus: 1, memoryMiB: 64, kernel: '/k', initrd: '/i' },
      ...{ kernelArguments: [], name: 'probe', uuid: 'u', disks: [], sshPort: undefined, isOffline: true },
      ...{ isFiltered: false, incoming: undefined, sockets, consoleLog: at('log'), pidFile: at('pid') },
    };
    return findAcceleration({
      programs: { system: at('qemu'), image: '', version: '9', build: 'QEMU 9', confinement: [] },
      // No device tells there whether a probe is worth it.
      environment: { env: {}, platform: 'darwin', architecture: 'x64' },
      ...{ cacheFile: at('acceleration.json'), machine: () => plan, marker: 'SPOKEN' },
    });
  }

  async function age(ms: number): Promise<void> {
    const known = JSON.parse(await readFile(at('acceleration.json'), 'utf8')) as { failedAt: string };
    const failedAt = new Date(Date.parse(known.failedAt) - ms).toISOString();
    await writeFile(at('acceleration.json'), JSON.stringify({ ...known, failedAt }));
  }

  it('is kept for good when a guest spoke', async () => {
    assert.deepEqual(await find(), { acceleration: 'hvf' });
    assert.deepEqual(await find(), { acceleration: 'hvf' });
    assert.equal(await starts(), 1);
  });

  it('is asked again some minutes after a failure, less and less often, and says why', async () => {
    await writeFile(at('fails'), '');
    const found = await find();
    assert.equal(found.acceleration, 'tcg');
    assert.match(found.reason ?? '', /ended with code 1: the processor is in other hands/);
    assert((found.untilMs ?? 0) > Date.now());
    await find();
    assert.equal(await starts(), 1);
    await age(11 * 60_000);
    await find();
    assert.equal(await starts(), 2);
    await age(11 * 60_000);
    await find();
    assert.equal(await starts(), 2, 'the second pause is longer');
    await rm(at('fails'));
    await age(11 * 60_000);
    assert.deepEqual(await find(), { acceleration: 'hvf' });
    assert.deepEqual(await find(), { acceleration: 'hvf' });
  });

  it('is asked again where an earlier version noted a failure', async () => {
    await find();
    const known = JSON.parse(await readFile(at('acceleration.json'), 'utf8')) as object;
    await writeFile(at('acceleration.json'), JSON.stringify({ ...known, acceleration: 'tcg' }));
    assert.deepEqual(await find(), { acceleration: 'hvf' });
  });
});
