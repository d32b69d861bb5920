/**
 * Who makes the container that fills the volume of the tools. Its name is a lock between engines, also on other
 * machines or in containers with the same daemon: one that a dead engine which we could see left is known at once, others
 * by their age.
 */
import type Dockerode from 'dockerode';
import { currentOwner } from '../../../machine/lock-owner';
import { identityOf, isRunning, type ProcessIdentity } from '../../../machine/process-identity';

export interface FillerOwner extends ProcessIdentity {
  /** The namespace in which `pid` means something (pid_namespaces(7)); missing in labels of Berth 0.1. */
  pidNamespace?: string | undefined;
  /** Tells apart two that are in the same process. */
  instance: string;
}

/** This process, as the owner of a container that fills the volume. */
export function fillerOwner(instance: string): FillerOwner {
  return { ...identityOf(process.pid), pidNamespace: currentOwner().pidNamespace, instance };
}

function parseOwner(text: string | undefined): FillerOwner | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const isWhole =
      typeof value === 'object' &&
      value !== null &&
      ['pid', 'startTime', 'bootId', 'instance'].every((key) => key in value);
    return isWhole ? (value as FillerOwner) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Nobody works with it any more. `mine` asks for it now, so that what carries its instance is left from an
 * attempt that could not tidy up, when the daemon went away.
 */
export function isAbandoned(
  label: string | undefined,
  mine: FillerOwner,
  { Created: created }: Pick<Dockerode.ContainerInspectInfo, 'Created'>,
  oldestMs: number,
): boolean {
  const owner = parseOwner(label);
  if (owner === undefined || !isSeenBy(mine, owner)) {
    return Date.now() - Date.parse(created) > oldestMs;
  }
  return owner.instance === mine.instance || !isRunning(owner);
}

/** Whether that pid is one of the processes that we see. */
function isSeenBy(mine: FillerOwner, { bootId, pidNamespace }: FillerOwner): boolean {
  return bootId !== '' && bootId === mine.bootId && pidNamespace === mine.pidNamespace;
}
