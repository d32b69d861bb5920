import assert from 'node:assert/strict';
import { countConnections } from '../../../../../../src/backend/drivers/microvms/guest/attached';
import { guestPlan } from '../../../../../../src/backend/drivers/microvms/guest/configure';
import { diskMounts, launchOf } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-plan';
import { parseFigures } from '../../../../../../src/backend/drivers/microvms/guest/stats';
import { templateKey } from '../../../../../../src/backend/drivers/microvms/machines/templates';
import { MicrovmFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import type { RuntimePlan } from '../../../../../../src/backend/drivers/driver';

const plan: RuntimePlan = {
  name: 'workspace-a',
  workspace: 'a',
  image: 'workspace:latest',
  env: {},
  limits: {},
  docker: true,
  network: 'on',
  homeVolume: 'workspace-a',
  dockerVolume: 'workspace-a-docker',
  mounts: [
    { kind: 'volume', source: 'data', target: '/data', readOnly: true },
    { kind: 'archive', source: '/x/set.tar', target: '/set', readOnly: false },
  ],
  sshPort: 2200,
};

describe('what a guest says of itself', () => {
  it('is memory in use, processes and traffic, without the loopback', () => {
    const text = [
      '0.10 0.20 0.30 1/87 4242',
      'MemTotal:        1000000 kB',
      'MemFree:          100000 kB',
      'MemAvailable:     750000 kB',
      'Inter-|   Receive                                                |  Transmit',
      'face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs',
      'lo:     999      9    0    0    0     0          0         0      999       9    0',
      'eth0:    1500     10    0    0    0     0          0         0     2500      12    0',
    ].join('\n');
    assert.deepEqual(parseFigures(text), {
      memoryBytes: 250_000 * 1024,
      pids: 87,
      networkRxBytes: 1500,
      networkTxBytes: 2500,
    });
  });

  it('is nothing where nothing was said', () => {
    assert.deepEqual(parseFigures(''), { memoryBytes: 0, pids: 0, networkRxBytes: 0, networkTxBytes: 0 });
  });
});

describe('connections through forwarded ports', () => {
  const table = [
    'Hub -1 (net):',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
    '  TCP[ESTABLISHED]   18       127.0.0.1  2200       10.0.2.15    22     0     0',
    '  TCP[ESTABLISHED]   19       127.0.0.1  2200       10.0.2.15    22     0     0',
    '  TCP[ESTABLISHED]   22       127.0.0.1 18080       10.0.2.15  8080     0     0',
    '  TCP[CLOSED]        20       127.0.0.1  2200       10.0.2.15    22     0     0',
    '  TCP[ESTABLISHED]   21       10.0.2.15 43210       1.1.1.1      22     0     0',
    '  TCP[HOST_FORWARD]  12       127.0.0.1  2200       10.0.2.15    22     0     0',
  ].join('\r\n');
  it('are those of people, not what listens, has ended, or goes out', () => {
    assert.equal(countConnections(table), 3);
    assert.equal(countConnections(''), 0);
  });
});

describe('the disks of a microVM', () => {
  it('are its home, Docker’s, and the mounts in their order', () => {
    assert.deepEqual(
      diskMounts(plan).map(({ serial, target, readOnly, volume }) => [serial, target, readOnly, volume]),
      [
        ['home', '/home/workspace', false, 'workspace-a'],
        ['docker', '/var/lib/docker', false, 'workspace-a-docker'],
        ['v0', '/data', true, 'data'],
        ['v1', '/set', false, undefined],
      ],
    );
  });

  it('are told to the guest with their targets', () => {
    const text = guestPlan(
      {
        id: 'a1b2c3d4-0000-4000-8000-00000000000f',
        plan: { ...plan, env: {}, limits: { shmMiB: 32, pids: 100 }, mounts: [...plan.mounts] },
      },
      1_700_000_000_999,
    );
    assert.match(text, /^hostname a\nepoch 1700000000\nmachine-id a1b2c3d400004000800000000000000f\n/);
    assert.match(text, /\nshm 32\ntasks 100\n/);
    assert.match(text, /\nmount home \/home\/workspace rw\n[^]*mount v0 \/data ro\n/);
  });

  it('are told after those that they lie inside of', () => {
    const at = (target: string) => ({ kind: 'volume' as const, source: 'x', target, readOnly: false });
    const targets = ['/data/a/b', '/data/a', '/home/workspace/c', '/data', '/database', '/workspace/d'];
    const inside = { ...plan, dockerVolume: undefined, mounts: targets.map(at) };
    const text = guestPlan({ id: 'a', plan: { ...inside, env: {}, limits: {} } }, 0);
    const rows = text.split('\n').map((line) => line.split(' '));
    assert.deepEqual(
      rows.flatMap(([kind, , target]) => (kind?.includes('mount') === true ? [`${kind} ${target}`] : [])),
      [
        ...['mount /home/workspace', 'mount /data', 'mount /database'],
        ...['mount-inside /data/a', 'mount-inside /workspace/d'],
        ...['mount-inside /data/a/b', 'mount-inside /home/workspace/c'],
      ],
    );
  });
});

describe('templates', () => {
  const kit = {
    version: '1',
    kernel: '/k',
    initrd: '/i',
    toolsDisk: '/t',
    kernelArguments: ['quiet'],
    hash: 'abc',
  };
  const programs = { system: '/q', image: '/qi', version: '7.2', build: 'QEMU 7.2 (x)', confinement: [] };
  const files = new MicrovmFiles('/home/x/.berth').of('workspace-a');
  const launch = (changes: Partial<RuntimePlan> = {}, home = '/h') => {
    const record = { plan: { ...plan, ...changes, env: {}, mounts: [...(changes.mounts ?? plan.mounts)] } };
    const paths = new Map([['home', home]]);
    return launchOf(record, { kit, programs, acceleration: 'tcg', processor: undefined }, files, paths);
  };

  it('serve every workspace of a size, whatever lies on its disks', () => {
    assert.equal(templateKey(launch()), templateKey(launch({ image: 'other' }, '/elsewhere')));
    assert.equal(templateKey(launch()), templateKey(launch({ dockerVolume: undefined })));
  });

  it('are others for another size, kit, QEMU or list of disks', () => {
    const keys = [
      launch(),
      launch({ limits: { memoryMiB: 2048 } }),
      launch({ limits: { cpus: 1.5 } }),
      launch({ mounts: [] }),
      { ...launch(), kit: 'abd' },
      { ...launch(), build: 'QEMU 8' },
      { ...launch(), acceleration: 'kvm' as const },
    ].map(templateKey);
    assert.equal(new Set(keys).size, keys.length);
  });
});

describe('paths of sockets', () => {
  it('lie beside the other files, or in a short folder where they would be too long', () => {
    const short = new MicrovmFiles('/home/x/.berth').of('workspace-a');
    assert.equal(short.sockets.qmp, '/home/x/.berth/workspaces/a/qmp.sock');
    const long = new MicrovmFiles(`/home/${'x'.repeat(90)}/.berth`);
    const all = Object.values(long.of('workspace-a').sockets) as string[];
    assert(all.every((path) => Buffer.byteLength(path) < 107));
    assert.notEqual(all[0], (Object.values(long.of('workspace-b').sockets) as string[])[0]);
  });
});
