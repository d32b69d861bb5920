/** What is remembered of a probe, with a QEMU that succeeds or fails as it is told. */
import assert from 'node:assert/strict';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  findAcceleration,
  knownAcceleration,
  knownObstacle,
  type Probe,
} from '../../../../../../src/backend/drivers/microvms/qemu/acceleration';
import type { MachinePlan } from '../../../../../../src/backend/drivers/microvms/qemu/command-line';
import type { QemuEnvironment } from '../../../../../../src/backend/drivers/microvms/qemu/programs';
import { asOrdinaryUser } from '../../../../../support/skip';
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

  // On a Mac no device tells whether a probe is worth it.
  function find(ofSystem: Partial<QemuEnvironment> = {}) {
    return findAcceleration(probe(ofSystem));
  }

  const obstacle = (ofSystem: Partial<QemuEnvironment> = {}) => knownObstacle(probe(ofSystem));

  function probe(ofSystem: Partial<QemuEnvironment>): Probe {
    const environment: QemuEnvironment = { env: {}, platform: 'darwin', architecture: 'x64', ...ofSystem };
    const sockets = { qmp: at('q'), control: at('c'), ssh: at('s'), filterOut: at('o'), filterIn: at('i') };
    const plan: MachinePlan = {
      ...{ architecture: 'x64', acceleration: 'hvf', cpus: 1, memoryMiB: 64, kernel: '/k', initrd: '/i' },
      ...{ kernelArguments: [], name: 'probe', uuid: 'u', disks: [], sshPort: undefined, isOffline: true },
      ...{ isFiltered: false, incoming: undefined, sockets, consoleLog: at('log'), pidFile: at('pid') },
    };
    return {
      programs: { system: at('qemu'), image: '', version: '9', build: 'QEMU 9', confinement: [] },
      ...{ environment, cacheFile: at('acceleration.json'), machine: () => plan, marker: 'SPOKEN' },
    };
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

  it('is asked again at once for whoever asks, as the doctor does, and soon after that', async () => {
    await writeFile(at('fails'), '');
    await find();
    await age(11 * 60_000);
    await find();
    assert.equal(await starts(), 2);
    await findAcceleration(probe({}), true);
    assert.equal(await starts(), 3);
    await age(11 * 60_000);
    await find();
    assert.equal(await starts(), 4);
    await rm(at('fails'));
    assert.deepEqual(await findAcceleration(probe({}), true), { acceleration: 'hvf' });
    assert.deepEqual(await findAcceleration(probe({}), true), { acceleration: 'hvf' });
    assert.equal(await starts(), 5);
  });

  it('is asked again where an earlier version noted a failure', async () => {
    await find();
    const known = JSON.parse(await readFile(at('acceleration.json'), 'utf8')) as object;
    await writeFile(at('acceleration.json'), JSON.stringify({ ...known, acceleration: 'tcg' }));
    assert.deepEqual(await find(), { acceleration: 'hvf' });
  });

  it('is named before it was tried only where nothing else can be', async () => {
    const known = (more = {}) => knownAcceleration(probe(more));
    assert.equal(await known(), undefined);
    await find();
    assert.equal(await known(), 'hvf');
    assert.equal(await known({ platform: 'linux', kvmDevice: at('kvm') }), 'tcg');
  });

  it('says why it is none, as soon as that is known', async () => {
    assert.equal(await obstacle(), undefined);
    await writeFile(at('fails'), '');
    await find();
    const { reason, hint } = (await obstacle()) ?? assert.fail('no obstacle');
    assert.equal(reason, 'this machine has HVF, but a trial microVM did not run with it');
    assert.match(hint ?? '', /nested virtualization.*The log of the engine has what QEMU said/);
  });

  it('names the group to join where this user may not open the device, and takes it once it may', async () => {
    const kvmDevice = at('kvm');
    const linux = { platform: 'linux', kvmDevice } as const;
    await writeFile(kvmDevice, '', { mode: 0o000 });
    await chmod(folder(), 0o755);
    await asOrdinaryUser(async () => {
      const reason = `this user may not open ${kvmDevice}`;
      const { untilMs = Infinity, ...found } = await find(linux);
      assert.deepEqual(found, { acceleration: 'tcg', reason });
      assert(untilMs < Date.now() + 11 * 60_000, 'it is looked at again');
      const { hint, ...rest } = (await obstacle(linux)) ?? assert.fail('nothing in the way');
      assert.deepEqual(rest, { reason, remedy: 'join-kvm-group' });
      assert.match(hint ?? '', /usermod -aG kvm "\$USER".*log in again.*berth down/);
    });
    assert.equal(await starts(), 0);
    await chmod(kvmDevice, 0o600);
    assert.equal(await obstacle(linux), undefined);
    assert.deepEqual(await find(linux), { acceleration: 'kvm' });
  });

  it('says that there is no device', async () => {
    const linux = { platform: 'linux', kvmDevice: at('kvm') } as const;
    assert.deepEqual(await obstacle(linux), { reason: `this machine has no ${at('kvm')}` });
    assert.equal((await find(linux)).reason, `this machine has no ${at('kvm')}`);
  });
});
