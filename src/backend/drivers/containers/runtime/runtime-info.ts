/** What the engine tells about containers, in the words of the driver interface. */
import type Dockerode from 'dockerode';
import type { RuntimeInfo, RuntimeState } from '../../driver';
import { label } from '../engine/labels';

/** The engine's word for a container's state in ours. */
export function stateOf(state: string): RuntimeState {
  if (state === 'paused') {
    return 'paused';
  }
  return state === 'running' || state === 'restarting' ? 'running' : 'stopped';
}

interface ListedMount {
  Name?: string;
  Type: string;
  Destination: string;
  RW: boolean;
}

/** The named volumes among what is mounted. */
export function volumesOf(mounts: readonly ListedMount[]): RuntimeInfo['volumes'] {
  return mounts.flatMap((mount) =>
    mount.Type === 'volume' && mount.Name !== undefined
      ? [{ volume: mount.Name, target: mount.Destination, readOnly: !mount.RW }]
      : [],
  );
}

function portOf(labels: Readonly<Record<string, string>>): number | undefined {
  const port = Number(labels[label.sshPort]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** One row of a list: `startedAt` is not in it. */
export function fromListed(container: Dockerode.ContainerInfo): RuntimeInfo {
  const exited = /^Exited \((\d+)\)/.exec(container.Status);
  const labels: Record<string, string> = container.Labels;
  return {
    id: container.Id,
    name: nameOf(container.Names[0] ?? ''),
    workspace: labels[label.workspace],
    state: stateOf(container.State),
    imageId: container.ImageID,
    image: imageOf(labels, container.Image),
    startedAt: undefined,
    exitCode: exited === null ? undefined : Number(exited[1]),
    sshPort: portOf(labels) ?? container.Ports.find((port) => port.PrivatePort === 22)?.PublicPort,
    volumes: volumesOf(container.Mounts),
    labels,
  };
}

/** What `inspect` of a container says. */
export function fromInspected(container: Dockerode.ContainerInspectInfo): RuntimeInfo {
  const { State: state, Config: config } = container;
  const labels: Record<string, string> = config.Labels;
  const hasStarted = !state.StartedAt.startsWith('0001-');
  const runs = stateOf(state.Status) !== 'stopped';
  return {
    id: container.Id,
    name: nameOf(container.Name),
    workspace: labels[label.workspace],
    state: stateOf(state.Status),
    imageId: container.Image,
    image: imageOf(labels, config.Image),
    startedAt: hasStarted ? new Date(state.StartedAt).toISOString() : undefined,
    exitCode: hasStarted && !runs ? state.ExitCode : undefined,
    sshPort: portOf(labels),
    volumes: volumesOf(container.Mounts),
    labels,
  };
}

/** What the user knows, not the private image of its files. */
function imageOf(labels: Readonly<Record<string, string>>, image: string): string {
  const planned = labels[label.image] ?? '';
  return planned === '' ? image : planned;
}

/** The engine's name of a container, which begins with a slash, without it. */
export function nameOf(name: string): string {
  return name.replace(/^\//, '');
}
