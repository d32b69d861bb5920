/**
 * What QEMU is started with. The devices of one plan always get the same addresses: a saved machine state fits
 * whatever files the same disks lie in.
 */
export type Acceleration = 'kvm' | 'hvf' | 'whpx' | 'tcg';
export type Architecture = 'x64' | 'arm64';

export interface MachineDisk {
  /** By which the guest knows it. */
  serial: string;
  /** undefined: nothing yet, `placeholderBytes` of it. */
  file: string | undefined;
  format: 'raw' | 'qcow2';
  readOnly: boolean;
}

/** A folder of this machine, by the socket of the daemon that serves it. */
export interface MachineShare {
  /** By which the guest knows it. */
  serial: string;
  socket: string;
}

/** A TCP port of the guest on a loopback port of this machine. */
export interface Forward {
  host: number;
  guest: number;
}

/** What a saved state depends on. */
export interface MachineShape {
  architecture: Architecture;
  acceleration: Acceleration;
  cpus: number;
  memoryMiB: number;
  kernel: string;
  initrd: string;
  kernelArguments: readonly string[];
}

export interface MachinePlan extends MachineShape {
  name: string;
  uuid: string;
  disks: readonly MachineDisk[];
  shares?: readonly MachineShare[];
  /** Loopback port that leads to sshd; undefined: none. */
  sshPort: number | undefined;
  /** Other ports of the guest. */
  forwards?: readonly Forward[];
  /** No way out of the guest; what is forwarded into it works all the same. */
  isOffline: boolean;
  /** What the guest sends passes our filter, or is lost while there is none. */
  isFiltered: boolean;
  sockets: MachineSockets;
  consoleLog: string;
  pidFile: string;
  /** Where a saved state is read from, e.g. `fd:3`. */
  incoming: string | undefined;
}

export interface MachineSockets {
  qmp: string;
  control: string;
  ssh: string;
  /** Frames of the guest, on their way to the filter. */
  filterOut: string;
  /** Those that it lets pass. */
  filterIn: string;
}

/** More than any disk has: a guest that has seen this before the real one is never in want. */
export const placeholderBytes = 16 * 1024 ** 4;
/** The first address of a disk; what is not a disk lies below. */
const firstDiskSlot = 8;
/** Translated code, in MiB: enough for shells and sshd, without half a gigabyte per guest. */
const translationMiB = 64;

export const filterChardevs = { out: 'filter-frames', in: 'filter-passed' };
export const filterInId = 'filter-in';
/** As QEMU takes it, at the start and live. */
export const filterInObject = `filter-redirector,netdev=net,queue=rx,indev=${filterChardevs.in}`;

/** The arguments of QEMU for a plan, without the program itself. */
export function commandLine(plan: MachinePlan): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-name', plain(plan.name), '-uuid', plan.uuid, '-pidfile', plan.pidFile],
    ...machine(plan),
    ...['-kernel', plan.kernel, '-initrd', plan.initrd, '-append', plan.kernelArguments.join(' ')],
    ...['-chardev', `file,id=console,path=${plain(plan.consoleLog)},append=on`, '-serial', 'chardev:console'],
    ...['-chardev', socket('qmp', plan.sockets.qmp), '-mon', 'chardev=qmp,mode=control'],
    ...ports(plan.sockets),
    ...network(plan),
    ...(plan.isFiltered ? filter(plan.sockets) : []),
    ...device({ driver: 'virtio-rng-pci', id: 'rng', addr: '5' }),
    ...device({ driver: 'virtio-balloon-pci', id: 'balloon', 'free-page-reporting': true, addr: '6' }),
    ...plan.disks.flatMap(disk),
    ...(plan.shares ?? []).flatMap((share, index) => shared(share, plan.disks.length + index)),
    ...(plan.incoming === undefined ? [] : ['-incoming', plan.incoming]),
  ];
}

function machine({ architecture, acceleration, cpus, memoryMiB, shares = [] }: MachinePlan): string[] {
  const isEmulated = acceleration === 'tcg';
  const type = architecture === 'x64' ? 'q35' : 'virt';
  // Daemons of shared folders read and write the guest's memory themselves.
  const isMemoryShared = shares.length > 0;
  return [
    ...(isMemoryShared ? ['-object', `memory-backend-memfd,id=memory,size=${memoryMiB}M,share=on`] : []),
    ...['-M', isMemoryShared ? `${type},memory-backend=memory` : type],
    ...['-accel', isEmulated ? `tcg,tb-size=${translationMiB}` : acceleration],
    ...['-cpu', isEmulated || acceleration === 'whpx' ? 'max' : 'host'],
    ...['-smp', String(cpus), '-m', `${memoryMiB}M`],
  ];
}

function ports(sockets: MachineSockets): string[] {
  return [
    ...device({ driver: 'virtio-serial-pci', id: 'ports', addr: '3' }),
    ...['-chardev', socket('control', sockets.control)],
    ...device({ driver: 'virtserialport', bus: 'ports.0', nr: 1, chardev: 'control', name: 'berth.control' }),
    ...['-chardev', socket('ssh', sockets.ssh)],
    ...device({ driver: 'virtserialport', bus: 'ports.0', nr: 2, chardev: 'ssh', name: 'berth.ssh' }),
  ];
}

/** As QEMU takes it, at the start and live. */
export function forwardRule({ host, guest }: Forward): string {
  return `tcp:127.0.0.1:${host}-10.0.2.15:${guest}`;
}

function network({ sshPort, forwards = [], isOffline }: MachinePlan): string[] {
  const ssh = sshPort === undefined ? [] : [{ host: sshPort, guest: 22 }];
  const rules = [...ssh, ...forwards].map((forward) => `,hostfwd=${forwardRule(forward)}`).join('');
  return [
    ...['-netdev', `user,id=net,ipv6=off${isOffline ? ',restrict=on' : ''}${rules}`],
    ...device({ driver: 'virtio-net-pci', id: 'nic', netdev: 'net', romfile: '', addr: '4' }),
  ];
}

/**
 * Every frame of the guest goes out by the one and comes back by the other: no devices, and in no saved state. Frames
 * pass the one that was added last first.
 */
function filter({ filterOut, filterIn }: MachineSockets): string[] {
  return [
    ...['-chardev', socket(filterChardevs.out, filterOut), '-chardev', socket(filterChardevs.in, filterIn)],
    ...['-object', `${filterInObject},id=${filterInId}`],
    ...['-object', `filter-redirector,id=filter-out,netdev=net,queue=rx,outdev=${filterChardevs.out}`],
  ];
}

function disk({ serial, file, format, readOnly }: MachineDisk, index: number): string[] {
  const common = { 'node-name': `disk-${serial}`, 'read-only': readOnly };
  const node =
    file === undefined
      ? { ...common, driver: 'null-co', size: placeholderBytes, 'read-zeroes': true }
      : { ...common, driver: format, discard: 'unmap', file: { driver: 'file', filename: file } };
  return [
    ...['-blockdev', JSON.stringify(node)],
    ...device({
      ...{ driver: 'virtio-blk-pci', id: serial, drive: `disk-${serial}`, serial },
      ...{ addr: (firstDiskSlot + index).toString(16) },
    }),
  ];
}

function shared({ serial, socket: path }: MachineShare, index: number): string[] {
  return [
    ...['-chardev', `socket,id=share-${serial},path=${plain(path)}`],
    ...device({
      ...{ driver: 'vhost-user-fs-pci', id: serial, chardev: `share-${serial}`, tag: serial },
      ...{ addr: (firstDiskSlot + index).toString(16) },
    }),
  ];
}

function device(properties: Readonly<Record<string, string | number | boolean>>): string[] {
  return ['-device', JSON.stringify(properties)];
}

function socket(id: string, path: string): string {
  return `socket,id=${id},path=${plain(path)},server=on,wait=off`;
}

/** In QEMU's own syntax a comma is written twice. */
function plain(value: string): string {
  return value.replaceAll(',', ',,');
}
