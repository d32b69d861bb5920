/**
 * A lock file that a dead owner can't keep. Libraries for this compare modification times, which needs a
 * timer that wakes an idle engine every second; this one names its owner (pid, start time, boot).
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { isErrno } from './files';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity';

export interface Lock {
  release(): void;
}

/** The lock, or undefined when a running process holds it. */
export function acquireLock(path: string): Lock | undefined {
  if (take(path)) {
    return { release: () => releaseOwn(path) };
  }
  if (ownerRuns(path)) {
    return undefined;
  }
  // Two may find the same dead owner: only the one with the reclaim lock removes it, after looking again.
  const reclaim = `${path}.reclaim`;
  if (!take(reclaim)) {
    if (!ownerRuns(reclaim)) {
      rmSync(reclaim, { force: true });
    }
    return undefined;
  }
  try {
    if (!ownerRuns(path)) {
      rmSync(path, { force: true });
    }
    return take(path) ? { release: () => releaseOwn(path) } : undefined;
  } finally {
    rmSync(reclaim, { force: true });
  }
}

/** Creates `path` with its whole content at once: link(2) fails when it exists. */
function take(path: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(identityOf(process.pid)), { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) {
      return false;
    }
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function ownerRuns(path: string): boolean {
  const owner = readOwner(path);
  return owner !== undefined && isRunning(owner);
}

function readOwner(path: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isIdentity(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'startTime' in value &&
    typeof value.startTime === 'string' &&
    'bootId' in value &&
    typeof value.bootId === 'string'
  );
}

function releaseOwn(path: string): void {
  const owner = readOwner(path);
  const self = identityOf(process.pid);
  if (owner?.pid === self.pid && owner.startTime === self.startTime) {
    rmSync(path, { force: true });
  }
}
