/** From a plan to what the engine is asked to create. */
import type Dockerode from 'dockerode';
import { mebibyte } from '../../../../api/rules/sizes';
import type { Limits, Mount } from '../../../../api/workspaces/schemas';
import type { PlannedPort, RuntimePlan } from '../../driver';
import { berthDirectory, toolsDirectory } from '../../../inside/init-script';
import { bundleVolumeName, label, planVersion } from '../engine/labels';
import { dockerDirectory, homeAlias, homeFolder, sshPortInside } from '../../../inside/places';
import { initCommand } from '../tools/tools-scripts';

export interface SpecContext {
  /** Labels that say whose it is. */
  owned: Readonly<Record<string, string>>;
  toolsVolume: string;
  /** Goes onto every volume that comes into being with this container. */
  nonce: string;
  /** SELinux is on: folders get the label of containers. */
  isLabelled?: boolean;
  /** It is made on another machine, where nobody asked for open ports: the engine dials to it. */
  isElsewhere?: boolean;
}

type Mounts = NonNullable<Dockerode.HostConfig['Mounts']>;

/** What the engine is asked to create for a plan. */
export function containerOptions(plan: RuntimePlan, context: SpecContext): Dockerode.ContainerCreateOptions {
  const isOnline = plan.network === 'on';
  const isElsewhere = context.isElsewhere === true;
  const isPublished = isOnline && !isElsewhere;
  const ports = publishedPorts(plan);
  const binds = context.isLabelled === true ? labelledBinds(plan) : [];
  return {
    name: plan.name,
    Hostname: plan.workspace,
    Image: plan.image,
    // The image's own user, command, health check and working directory are for another purpose.
    User: '0:0',
    Entrypoint: [...initCommand],
    Cmd: [],
    // The first configuration comes by standard input, and closes it.
    OpenStdin: true,
    StdinOnce: true,
    WorkingDir: '/',
    StopSignal: 'SIGTERM',
    Healthcheck: { Test: ['NONE'] },
    Env: Object.entries(plan.env).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [label.workspace]: plan.workspace,
      [label.managed]: 'true',
      ...context.owned,
      [label.role]: 'runtime',
      [label.plan]: planVersion,
      [label.nonce]: context.nonce,
      [label.sshPort]: String(plan.sshPort),
      [label.network]: plan.network,
      ...(isElsewhere && { [label.reach]: 'engine' }),
      ...((plan.ports ?? []).length > 0 && { [label.ports]: portsLabel(plan.ports ?? []) }),
    },
    ...(isPublished && { ExposedPorts: Object.fromEntries(Object.keys(ports).map((port) => [port, {}])) }),
    HostConfig: {
      ...(isPublished && { PortBindings: ports }),
      ...(!isOnline && { NetworkMode: 'none' }),
      Mounts: mountsOf(plan, context),
      ...(binds.length > 0 && { Binds: binds }),
      // Keys and variables live here: in memory only, gone when the container stops.
      Tmpfs: { [berthDirectory]: 'rw,nosuid,nodev,mode=0711,size=64m' },
      RestartPolicy: { Name: 'no' },
      Privileged: plan.docker,
      ...resourcesOf(plan.limits),
      ...(plan.limits.shmMiB !== undefined && { ShmSize: plan.limits.shmMiB * mebibyte }),
    },
  };
}

/** A volume beside those of the plan, which an image asked for. */
export interface CarriedVolume {
  volume: string;
  target: string;
}

/** What a container takes over from the one in whose place it is to be. */
export interface TakenOver {
  /** The name that it has until then. */
  name?: string;
  /** The other one's image, or its own files as a private image. */
  image?: string;
  volumes: readonly CarriedVolume[];
  labels?: Readonly<Record<string, string>>;
}

/** The same container, made of what another one has. */
export function takingOver(
  options: Dockerode.ContainerCreateOptions,
  { name, image, volumes, labels }: TakenOver,
): Dockerode.ContainerCreateOptions {
  const mounts = volumes.map(({ volume, target }) =>
    volumeMount(volume, target, { readOnly: false, isCopied: false, labels: {} }),
  );
  return {
    ...options,
    ...(name !== undefined && { name }),
    ...(image !== undefined && { Image: image }),
    Labels: {
      ...options.Labels,
      ...labels,
      ...(image !== undefined && { [label.image]: options.Image ?? '' }),
      ...(volumes.length > 0 && { [label.carried]: volumes.map(({ volume }) => volume).join(',') }),
    },
    HostConfig: { ...options.HostConfig, Mounts: [...(options.HostConfig?.Mounts ?? []), ...mounts] },
  };
}

/** Volumes without a name of ours that go with a container. */
export function carriedBy(labels: Readonly<Record<string, string>> | null | undefined): string[] {
  return (labels?.[label.carried] ?? '').split(',').filter((name) => name !== '');
}

/** Loopback only. Two ports here may lead to one inside. */
function publishedPorts(plan: RuntimePlan): Record<string, { HostIp: string; HostPort: string }[]> {
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { host, guest } of [{ host: plan.sshPort, guest: sshPortInside }, ...(plan.ports ?? [])]) {
    (ports[`${guest}/tcp`] ??= []).push({ HostIp: '127.0.0.1', HostPort: String(host) });
  }
  return ports;
}

/**
 * The published ports as a label, `host:guest,…`, by which they are known when the container does not run.
 */
export function portsLabel(ports: readonly PlannedPort[]): string {
  return ports.map(({ host, guest }) => `${host}:${guest}`).join(',');
}

/** Limits that can be changed live, as the engine names them. No swap: a limit of memory is one of memory. */
export function resourcesOf(limits: Limits): {
  NanoCpus?: number;
  Memory?: number;
  MemorySwap?: number;
  PidsLimit?: number;
} {
  const memory = limits.memoryMiB === undefined ? undefined : limits.memoryMiB * mebibyte;
  return {
    ...(limits.cpus !== undefined && { NanoCpus: Math.round(limits.cpus * 1e9) }),
    ...(memory !== undefined && { Memory: memory, MemorySwap: memory }),
    ...(limits.pids !== undefined && { PidsLimit: limits.pids }),
  };
}

function mountsOf(plan: RuntimePlan, context: SpecContext): Mounts {
  const owned = {
    ...context.owned,
    [label.nonce]: context.nonce,
  };
  const ofWorkspace = { ...owned, [label.workspace]: plan.workspace, [label.managed]: 'true' };
  const tools = { ...owned, [label.role]: 'tools' };
  const homeLabels = { ...ofWorkspace, [label.role]: 'home' };
  const mounts: Mounts = [
    volumeMount(context.toolsVolume, toolsDirectory, { readOnly: true, isCopied: false, labels: tools }),
    volumeMount(plan.homeVolume, homeFolder, { readOnly: false, isCopied: true, labels: homeLabels }),
    volumeMount(plan.homeVolume, homeAlias, { readOnly: false, isCopied: false, labels: homeLabels }),
  ];
  if (plan.dockerVolume !== undefined) {
    const labels = { ...ofWorkspace, [label.role]: 'docker' };
    mounts.push(
      volumeMount(plan.dockerVolume, dockerDirectory, { readOnly: false, isCopied: false, labels }),
    );
  }
  const bundles = { ...ofWorkspace, [label.role]: 'bundle', [label.bundle]: 'true' };
  plan.mounts.forEach((mount, index) => {
    if (mount.folder !== undefined) {
      if (context.isLabelled !== true) {
        mounts.push({ Type: 'bind', Source: mount.folder, Target: mount.target, ReadOnly: mount.readOnly });
      }
      return;
    }
    const isBundle = mount.kind === 'archive';
    mounts.push(
      volumeMount(isBundle ? bundleVolumeName(plan.name, index) : mount.source, mount.target, {
        readOnly: mount.readOnly,
        isCopied: !isBundle,
        labels: isBundle ? bundles : { ...owned, [label.volume]: 'true' },
      }),
    );
  });
  return mounts;
}

/**
 * Folders that the engine labels for all containers, which mounts can't ask for. Only Berth's own folders come here,
 * so nothing of the user's gets another label.
 */
function labelledBinds(plan: RuntimePlan): string[] {
  return plan.mounts.flatMap(({ folder, target, readOnly }) =>
    folder === undefined ? [] : [`${folder}:${target}:${readOnly ? 'ro' : 'rw'},z`],
  );
}

function volumeMount(
  source: string,
  target: string,
  options: { readOnly: boolean; isCopied: boolean; labels: Record<string, string> },
): Mounts[number] {
  return {
    Type: 'volume',
    Source: source,
    Target: target,
    ReadOnly: options.readOnly,
    // A missing volume is made with these labels; a copied one starts with what the image has at its target.
    VolumeOptions: {
      NoCopy: !options.isCopied,
      Labels: options.labels,
      DriverConfig: { Name: 'local', Options: {} },
    },
  };
}

/** Every volume of the engine that a plan mounts, by name. */
export function volumesOfPlan(plan: RuntimePlan): string[] {
  const mounted = plan.mounts.flatMap((mount) =>
    mount.kind === 'volume' && mount.folder === undefined ? [mount.source] : [],
  );
  const docker = plan.dockerVolume === undefined ? [] : [plan.dockerVolume];
  return [plan.homeVolume, ...docker, ...mounted, ...bundlesOf(plan).map(({ volume }) => volume)];
}

/** The bundles of a plan with the volumes that they are unpacked into. */
export function bundlesOf(plan: RuntimePlan): { mount: Mount; volume: string }[] {
  return plan.mounts.flatMap((mount, index) =>
    mount.kind === 'archive' ? [{ mount, volume: bundleVolumeName(plan.name, index) }] : [],
  );
}
