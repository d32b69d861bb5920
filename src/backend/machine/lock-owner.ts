/** Who has a lock, and what can be known of that process from here. */
import { readFileSync, readlinkSync, statfsSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { dirname } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { identityOf, isRunning } from './process-identity';

const Text = Type.String({ maxLength: 1024 });
/** The optional fields are missing in locks of Berth 0.1. */
const LockOwner = Type.Object({
  pid: Type.Integer(),
  startTime: Text,
  bootId: Text,
  /** The namespace in which `pid` means something (pid_namespaces(7)); '' where there are none. */
  pidNamespace: Type.Optional(Text),
  hostName: Type.Optional(Text),
  /** `/etc/machine-id`; '' where there is none. */
  machineId: Type.Optional(Text),
  /** Milliseconds since 1970. */
  takenAt: Type.Optional(Type.Number()),
});
export type LockOwner = Static<typeof LockOwner>;

export type Verdict =
  | 'running'
  | 'dead'
  /** Its pid means nothing here: the process is in another pid namespace of this machine. */
  | 'unknown'
  /** On another machine, which shares the folder. */
  | 'elsewhere';

/** File systems that only one running kernel has at a time (linux/magic.h): what an earlier boot left there is dead. */
const localFileSystems = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x858458f6, 0x794c7630, 0x2fc12fc1, 0xf2f52010],
  ...[0xca451a4e, 0x3153464a, 0x52654973, 0x3434, 0xf15f, 0x4d44, 0x2011bab0, 0x7366746e],
]);
const clockToleranceMs = 60_000;

/** This process. */
export function currentOwner(): LockOwner {
  return {
    ...identityOf(process.pid),
    pidNamespace: pidNamespace(),
    hostName: hostname(),
    machineId: machineId(),
    takenAt: Date.now(),
  };
}

/** What a lock file says; undefined for one that is damaged. */
export function parseOwner(content: string): LockOwner | undefined {
  try {
    const value: unknown = JSON.parse(content);
    return Value.Check(LockOwner, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What can be known of the owner of the lock at `path` without asking it. */
export function verdictOn(
  owner: LockOwner,
  path: string,
  here: LockOwner = currentOwner(),
  isLocal = isOnLocalDisk,
): Verdict {
  if (owner.bootId !== here.bootId) {
    return judgeOtherBoot(owner, here, isLocal(path));
  }
  if (here.pidNamespace !== '' && owner.pidNamespace !== here.pidNamespace) {
    return owner.pidNamespace === undefined && isRunning(owner) ? 'running' : 'unknown';
  }
  return isRunning(owner) && !wasBeforeBoot(owner) ? 'running' : 'dead';
}

function judgeOtherBoot(owner: LockOwner, here: LockOwner, isLocal: boolean): Verdict {
  if (isLocal || (owner.hostName === here.hostName && owner.machineId === here.machineId)) {
    return 'dead';
  }
  return owner.hostName === undefined ? 'unknown' : 'elsewhere';
}

/** Where boots have no id (macOS, Windows) a pid that was given again would keep the lock for ever. */
function wasBeforeBoot({ bootId, takenAt }: LockOwner): boolean {
  const bootedAt = Date.now() - uptime() * 1000;
  return bootId === '' && takenAt !== undefined && takenAt < bootedAt - clockToleranceMs;
}

function isOnLocalDisk(path: string): boolean {
  try {
    return localFileSystems.has(statfsSync(dirname(path)).type);
  } catch {
    return false;
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '';
  }
}
