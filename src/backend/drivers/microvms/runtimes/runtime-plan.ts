/** From a runtime's plan to a machine's: its size, its disks, and what the guest mounts where. */
import { availableParallelism } from 'node:os';
import { dockerDirectory, homeFolder } from '../../../inside/places';
import type { PlannedMount, RuntimePlan, RuntimeInfo } from '../../driver';
import type { HostTools } from '../machines/host';
import type { Architecture, MachinePlan } from '../qemu/command-line';
import type { RuntimeFiles } from './runtime-files';
import type { Launch, RuntimeRecord } from './runtime-record';

const defaultMemoryMiB = 1024;
/** Under emulation a second processor costs more than it brings. */
const defaultCpus = { emulated: 1, accelerated: 4 };
/** Beside its home. */
export const maxMounts = 8;

export interface DiskMount {
  serial: string;
  target: string;
  readOnly: boolean;
  /** The named volume on it; undefined for a user's own image and for a bundle. */
  volume: string | undefined;
  /** The mount it comes from; undefined for the workspace's own volumes. */
  mount: PlannedMount | undefined;
  index: number;
}

/** A folder of this machine: no disk, and not for one machine alone. */
export function isShared({ mount }: Pick<DiskMount, 'mount'>): boolean {
  return mount?.folder !== undefined;
}

type Volumes = Pick<RuntimePlan, 'homeVolume' | 'mounts'> & { dockerVolume?: string | undefined };

/** Every disk and shared folder of a runtime besides its root and the tools. */
export function diskMounts({ homeVolume, dockerVolume, mounts }: Volumes): DiskMount[] {
  const own = { readOnly: false, mount: undefined, index: -1 };
  return [
    { ...own, serial: 'home', target: homeFolder, volume: homeVolume },
    ...(dockerVolume === undefined
      ? []
      : [{ ...own, serial: 'docker', target: dockerDirectory, volume: dockerVolume }]),
    ...mounts.map((mount, index) => ({
      serial: `v${index}`,
      target: mount.target,
      readOnly: mount.readOnly,
      volume: mount.kind === 'volume' ? mount.source : undefined,
      mount,
      index,
    })),
  ];
}

/** The volumes that a microVM holds, and where they are mounted. */
export function volumesOf(plan: Volumes): RuntimeInfo['volumes'] {
  return diskMounts(plan).flatMap(({ volume, target, readOnly }) =>
    volume === undefined ? [] : [{ volume, target, readOnly }],
  );
}

/** A bundle's disk, made anew at each start. */
export function bundleFile(files: RuntimeFiles, index: number): string {
  return `${files.folder}/bundle-${index}.ext4`;
}

/** What a machine is started with now: the files of its disks by their serials. */
export function launchOf(
  { plan }: Pick<RuntimeRecord, 'plan'>,
  { kit, programs, acceleration, processor }: HostTools,
  files: RuntimeFiles,
  paths: ReadonlyMap<string, string>,
): Launch {
  const { kernel, initrd, kernelArguments, toolsDisk, hash } = kit;
  const mounts = diskMounts(plan).filter(({ mount }) => mount !== undefined);
  const shares = mounts.filter(isShared).map(({ serial }) => serial);
  const raw = (serial: string, readOnly: boolean): Launch['disks'][number] => {
    const file = paths.get(serial);
    return { serial, format: 'raw', readOnly, ...(file !== undefined && { file }) };
  };
  return {
    ...{ acceleration, build: programs.build, kit: hash },
    ...(processor !== undefined && { processor }),
    ...{ kernel, initrd, kernelArguments: [...kernelArguments] },
    ...sizeOf(plan.limits, acceleration === 'tcg'),
    disks: [
      { serial: 'root', file: files.rootfs, format: 'qcow2', readOnly: false },
      { serial: 'tools', file: toolsDisk, format: 'raw', readOnly: true },
      // Always there, so that one template serves those with and without Docker.
      ...['home', 'docker'].map((serial) => raw(serial, false)),
      ...mounts.filter((mount) => !isShared(mount)).map(({ serial, readOnly }) => raw(serial, readOnly)),
    ],
    ...(shares.length > 0 && { shares }),
  };
}

function sizeOf(
  { cpus, memoryMiB }: RuntimePlan['limits'],
  isEmulated: boolean,
): Pick<Launch, 'cpus' | 'memoryMiB'> {
  const most = isEmulated ? defaultCpus.emulated : defaultCpus.accelerated;
  return {
    cpus: Math.max(1, Math.ceil(cpus ?? Math.min(most, availableParallelism()))),
    memoryMiB: Math.max(memoryMiB ?? defaultMemoryMiB, 128),
  };
}

export interface MachineContext {
  architecture: Architecture;
  files: RuntimeFiles;
  incoming?: string;
  /** The guest may reach this machine's loopback, whatever its plan says. */
  opensLoopback?: boolean;
}

/** What QEMU is started with for a runtime: devices, memory, ports, and how its kernel is called. */
export function machinePlan(
  { id, plan }: Pick<RuntimeRecord, 'id' | 'plan'>,
  launch: Launch,
  { architecture, files, incoming, opensLoopback = false }: MachineContext,
): MachinePlan {
  const { acceleration, cpus, memoryMiB, kernel, initrd, kernelArguments, disks, shares } = launch;
  return {
    ...{ architecture, acceleration, cpus, memoryMiB, kernel, initrd, kernelArguments, incoming },
    ...{ name: plan.name, uuid: id, sshPort: plan.sshPort, isOffline: plan.network === 'off' },
    isFiltered: plan.network === 'on' && !opensLoopback,
    forwards: plan.ports ?? [],
    shares: (shares ?? []).map((serial) => ({ serial, socket: files.shareSocket(serial) })),
    disks: disks.map(({ file, ...disk }) => ({ ...disk, file })),
    ...{ sockets: files.sockets, consoleLog: files.consoleLog, pidFile: files.pidFile },
  };
}
