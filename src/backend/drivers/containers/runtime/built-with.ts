/** What a container of anybody was built with, for a workspace that is to have the same. */
import type Dockerode from 'dockerode';
import { mebibyte } from '../../../../api/rules/sizes';
import type { Limits, Mount } from '../../../../api/workspaces/schemas';
import type { BuiltWith } from '../../driver';
import { ifMissing } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { isAnonymous, isBundleOf, isToolsVolume, label } from '../engine/labels';
import { nameOf } from './runtime-info';
import { dockerDirectory, homeAlias, homeFolder, sshPortInside } from '../../../inside/places';

const usualShm = 64 * mebibyte;
const usualNetworks: readonly string[] = ['', 'default', 'bridge', 'podman', 'slirp4netns', 'none'];

interface Binding {
  HostIp?: string;
  HostPort?: string;
}

interface Inspected {
  Name: string;
  Image: string;
  Config: { Env?: string[] | null; Labels?: Record<string, string> | null };
  Mounts: readonly { Type: string; Name?: string; Source: string; Destination: string; RW: boolean }[];
  HostConfig: {
    PortBindings?: Record<string, Binding[] | null> | null;
    NetworkMode?: string;
    Privileged?: boolean;
    NanoCpus?: number;
    Memory?: number;
    PidsLimit?: number | null;
    ShmSize?: number;
  };
}

/** undefined: there is no such container. */
export function builtWith(endpoint: Endpoint, name: string): Promise<BuiltWith | undefined> {
  return endpoint.call(`read how ${name} was built`, async (docker) => {
    const found = await docker.getContainer(name).inspect().catch(ifMissing);
    if (found === undefined) {
      return undefined;
    }
    // Its image may have been removed by force.
    const image = await docker.getImage(found.Image).inspect().catch(ifMissing);
    return describeBuild(found, environmentOf(image));
  });
}

function environmentOf(image: Dockerode.ImageInspectInfo | undefined): readonly string[] {
  return (image?.Config.Env as string[] | null | undefined) ?? [];
}

/** What was asked for when a container was made, without what its image says by itself. */
export function describeBuild(container: Inspected, ofImage: readonly string[]): BuiltWith {
  const { HostConfig: host, Config: config } = container;
  const { mounts, others } = mountsOf(container);
  const ports = portsOf(host.PortBindings ?? {});
  const network = host.NetworkMode ?? '';
  const isPrivileged = host.Privileged === true;
  const dockerData = container.Mounts.find(
    ({ Type: type, Destination: target }) => type === 'volume' && target === dockerDirectory,
  );
  const docker = isPrivileged && dockerData !== undefined;
  const dockerVolume = mounts.find(({ target }) => docker && target === dockerDirectory);
  return {
    env: variables((config.Env ?? []).filter((line) => !ofImage.includes(line))),
    limits: limitsOf(host),
    network: network === 'none' ? 'off' : 'on',
    docker,
    dockerVolume: dockerVolume?.source,
    ports: ports.kept,
    mounts: mounts.filter((mount) => mount !== dockerVolume),
    others: [
      ...others,
      ...ports.others,
      ...(usualNetworks.includes(network) ? [] : [`the network ${network}`]),
      ...(isPrivileged && !docker ? ['its privileges on this machine'] : []),
    ],
  };
}

function variables(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}

function limitsOf(host: Inspected['HostConfig']): Limits {
  const { NanoCpus: cpus = 0, Memory: memory = 0, PidsLimit: pids, ShmSize: shm = usualShm } = host;
  return {
    ...(cpus > 0 && { cpus: cpus / 1e9 }),
    ...(memory > 0 && { memoryMiB: Math.ceil(memory / mebibyte) }),
    ...(typeof pids === 'number' && pids > 0 && { pids }),
    ...(shm !== usualShm && shm >= mebibyte && { shmMiB: Math.ceil(shm / mebibyte) }),
  };
}

/** What Berth puts into each container itself is no part of it. */
function mountsOf({ Name: name, Mounts: all, Config: config }: Inspected): {
  mounts: Mount[];
  others: string[];
} {
  const mounts: Mount[] = [];
  const others: string[] = [];
  const isOfBerth = (config.Labels ?? {})[label.plan] !== undefined;
  for (const { Type: type, Name: source = '', Source: folder, Destination: target, RW: isWritable } of all) {
    if (type === 'volume' && isAnonymous(source)) {
      // Elsewhere it goes along by itself.
      others.push(...(isHome(target) ? [`the volume without a name at ${target}, which is removed`] : []));
    } else if (type === 'volume' && isBundleOf(nameOf(name), source)) {
      others.push(`the unpacked archive at ${target}`);
    } else if (type === 'volume' && !(isOfBerth && isToolsVolume(source, {}))) {
      mounts.push({ kind: 'volume', source, target, readOnly: !isWritable });
    } else if (type === 'bind') {
      others.push(`the folder ${folder} of this machine at ${target}`);
    }
  }
  return { mounts, others };
}

function isHome(target: string): boolean {
  return target === homeFolder || target === homeAlias;
}

function portsOf(bindings: Readonly<Record<string, Binding[] | null>>): {
  kept: { host: number | undefined; guest: number }[];
  others: string[];
} {
  const kept: { host: number | undefined; guest: number }[] = [];
  const others: string[] = [];
  for (const [inside, all] of Object.entries(bindings)) {
    const [port = '', protocol = 'tcp'] = inside.split('/');
    const guest = Number(port);
    if (protocol !== 'tcp') {
      others.push(`the ${protocol.toUpperCase()} port ${port}`);
    } else if (guest !== sshPortInside) {
      kept.push(...hostPorts(all ?? []).map((host) => ({ host, guest })));
    }
  }
  return { kept, others };
}

/** One for each; the same port on several addresses is one. */
function hostPorts(bindings: readonly Binding[]): (number | undefined)[] {
  const ports = bindings.map(({ HostPort: port = '' }) => Number(port)).map((port) => port || undefined);
  return [...new Set(ports.length === 0 ? [undefined] : ports)];
}
