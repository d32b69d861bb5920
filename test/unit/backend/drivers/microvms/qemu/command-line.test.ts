import assert from 'node:assert/strict';
import {
  commandLine,
  placeholderBytes,
  type MachinePlan,
} from '../../../../../../src/backend/drivers/microvms/qemu/command-line';

const plan: MachinePlan = {
  architecture: 'x64',
  acceleration: 'tcg',
  cpus: 2,
  memoryMiB: 512,
  kernel: '/kit/vmlinuz',
  initrd: '/kit/initrd',
  kernelArguments: ['console=ttyS0', 'quiet'],
  name: 'workspace-a',
  uuid: '7f0e7b0e-0000-4000-8000-000000000000',
  disks: [
    { serial: 'root', file: '/w/a,b/rootfs.qcow2', format: 'qcow2', readOnly: false },
    { serial: 'tools', file: '/kit/tools.ext4', format: 'raw', readOnly: true },
    { serial: 'home', file: undefined, format: 'raw', readOnly: false },
  ],
  sshPort: 2201,
  isOffline: false,
  isFiltered: false,
  sockets: { qmp: '/r/q', control: '/r/c', ssh: '/r/s', filterOut: '/r/o', filterIn: '/r/i' },
  consoleLog: '/w/a,b/console.log',
  pidFile: '/w/qemu.pid',
  incoming: undefined,
};

/** What follows an option, each time it is there. */
function valuesOf(argv: readonly string[], option: string): string[] {
  return argv.flatMap((word, index) => (argv[index - 1] === option ? [word] : []));
}

function devices(argv: readonly string[]): Record<string, unknown>[] {
  return valuesOf(argv, '-device').map((text) => JSON.parse(text) as Record<string, unknown>);
}

describe('the command line of QEMU', () => {
  it('takes nothing from anybody’s configuration, shows nothing, and ends when the guest reboots', () => {
    const argv = commandLine(plan);
    for (const word of ['-nodefaults', '-no-user-config', '-no-reboot']) {
      assert(argv.includes(word), word);
    }
    assert.deepEqual(valuesOf(argv, '-display'), ['none']);
  });

  it('shares the memory of the guest with the daemons of its folders, and with nobody else', () => {
    assert(!commandLine(plan).join(' ').includes('memory'));
    const argv = commandLine({ ...plan, shares: [{ serial: 'v1', socket: '/r/a,b' }] });
    assert.deepEqual(valuesOf(argv, '-object'), ['memory-backend-memfd,id=memory,size=512M,share=on']);
    assert.deepEqual(valuesOf(argv, '-M'), ['q35,memory-backend=memory']);
    assert(valuesOf(argv, '-chardev').includes('socket,id=share-v1,path=/r/a,,b'));
    // Behind the disks, whose addresses stay.
    assert.deepEqual(
      devices(argv).find(({ driver }) => driver === 'vhost-user-fs-pci'),
      {
        ...{ driver: 'vhost-user-fs-pci', id: 'v1', chardev: 'share-v1', tag: 'v1', addr: 'b' },
      },
    );
  });

  it('forwards ports of loopback only, also into a guest without a way out', () => {
    const argv = commandLine({ ...plan, isOffline: true, forwards: [{ host: 18080, guest: 8080 }] });
    assert.deepEqual(valuesOf(argv, '-netdev'), [
      'user,id=net,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:2201-10.0.2.15:22,hostfwd=tcp:127.0.0.1:18080-10.0.2.15:8080',
    ]);
  });

  it('emulates with a bounded cache, and passes the processor on where it can', () => {
    const emulated = commandLine(plan);
    assert.deepEqual(valuesOf(emulated, '-accel'), ['tcg,tb-size=64']);
    assert.deepEqual(valuesOf(emulated, '-cpu'), ['max']);
    assert.deepEqual(valuesOf(emulated, '-M'), ['q35']);
    const accelerated = commandLine({ ...plan, acceleration: 'kvm' });
    assert.deepEqual(valuesOf(accelerated, '-accel'), ['kvm']);
    assert.deepEqual(valuesOf(accelerated, '-cpu'), ['host']);
    assert.deepEqual(valuesOf(commandLine({ ...plan, architecture: 'arm64', acceleration: 'hvf' }), '-M'), [
      'virt',
    ]);
  });

  it('listens on this machine only', () => {
    const [netdev = ''] = valuesOf(commandLine(plan), '-netdev');
    assert.match(netdev, /^user,.*hostfwd=tcp:127\.0\.0\.1:2201-10\.0\.2\.15:22$/);
    assert.doesNotMatch(netdev, /restrict/);
  });

  it('locks a guest without network in, and still lets SSH reach it', () => {
    const [netdev = ''] = valuesOf(commandLine({ ...plan, isOffline: true }), '-netdev');
    assert.match(netdev, /restrict=on.*hostfwd=tcp:127\.0\.0\.1:2201-/);
    const [without = ''] = valuesOf(commandLine({ ...plan, sshPort: undefined }), '-netdev');
    assert.doesNotMatch(without, /hostfwd/);
  });

  it('has all frames of the guest pass the filter, which is no device', () => {
    const filtered = { ...plan, isFiltered: true, sockets: { ...plan.sockets, filterOut: '/r/a,b' } };
    const argv = commandLine(filtered);
    // Frames pass the last one first: what comes back must not go out again.
    assert.deepEqual(valuesOf(argv, '-object'), [
      'filter-redirector,netdev=net,queue=rx,indev=filter-passed,id=filter-in',
      'filter-redirector,id=filter-out,netdev=net,queue=rx,outdev=filter-frames',
    ]);
    const chardevs = valuesOf(argv, '-chardev').filter((text) => text.includes('id=filter'));
    assert.deepEqual(chardevs, [
      'socket,id=filter-frames,path=/r/a,,b,server=on,wait=off',
      'socket,id=filter-passed,path=/r/i,server=on,wait=off',
    ]);
    assert.deepEqual(devices(argv), devices(commandLine(plan)));
    assert.deepEqual(valuesOf(argv, '-netdev'), valuesOf(commandLine(plan), '-netdev'));
    assert.deepEqual(valuesOf(commandLine(plan), '-object'), []);
  });

  it('names disks by their serials, protects those to be read only, and never gives up QEMU’s locks', () => {
    const argv = commandLine(plan);
    const nodes = valuesOf(argv, '-blockdev').map((text) => JSON.parse(text) as Record<string, unknown>);
    assert.deepEqual(
      nodes.map((node) => [node['node-name'], node.driver, node['read-only']]),
      [
        ['disk-root', 'qcow2', false],
        ['disk-tools', 'raw', true],
        ['disk-home', 'null-co', false],
      ],
    );
    assert.deepEqual(nodes[0]?.file, { driver: 'file', filename: '/w/a,b/rootfs.qcow2' });
    assert.equal(nodes[2]?.size, placeholderBytes);
    const disks = devices(argv).filter(({ driver }) => driver === 'virtio-blk-pci');
    assert.deepEqual(
      disks.map(({ serial, addr }) => [serial, addr]),
      [
        ['root', '8'],
        ['tools', '9'],
        ['home', 'a'],
      ],
    );
    assert(!argv.join(' ').includes('locking'));
  });

  it('puts every device in the same place whatever lies on the disks', () => {
    const filled = {
      ...plan,
      disks: plan.disks.map((disk) => ({ ...disk, file: '/other' })),
      sshPort: undefined,
    };
    assert.deepEqual(devices(commandLine(filled)), devices(commandLine(plan)));
  });

  it('has no more disks than there are places', () => {
    const disks = Array.from({ length: 12 }, (_, index) => ({ ...plan.disks[2]!, serial: `d${index}` }));
    const taken = devices(commandLine({ ...plan, disks })).flatMap(({ addr }) =>
      addr === undefined ? [] : [addr],
    );
    assert.equal(new Set(taken).size, taken.length);
    assert(taken.every((addr) => Number.parseInt(addr as string, 16) < 0x1f));
  });

  it('writes commas in paths twice where QEMU has a syntax of its own', () => {
    const chardevs = valuesOf(commandLine(plan), '-chardev');
    assert(chardevs.includes('file,id=console,path=/w/a,,b/console.log,append=on'));
  });

  it('lets memory that the guest does not use go back, and gives it chance', () => {
    const found = devices(commandLine(plan));
    assert.equal(found.find(({ id }) => id === 'balloon')?.['free-page-reporting'], true);
    assert(found.some(({ driver }) => driver === 'virtio-rng-pci'));
  });

  it('reads a saved state when there is one', () => {
    assert.deepEqual(valuesOf(commandLine(plan), '-incoming'), []);
    assert.deepEqual(valuesOf(commandLine({ ...plan, incoming: 'fd:3' }), '-incoming'), ['fd:3']);
  });
});
