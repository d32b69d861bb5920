/**
 * A lock file that a dead owner can't keep. Libraries for this compare modification times, which needs a
 * timer that wakes an idle engine every second; this one names its owner (pid, start time, boot, where).
 */
import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { draftOf } from './drafts';
import { isErrno } from './files';
import { isRunning } from './process-identity';
import { currentOwner, parseOwner, type LockOwner } from './lock-owner';

export interface Lock {
  release(): void;
}

export type IsDead = (owner: LockOwner) => boolean;

/** The lock, or undefined when its owner is not dead: by default, when that process runs on this machine. */
export function acquireLock(path: string, isDead: IsDead = (owner) => !isRunning(owner)): Lock | undefined {
  return takeFromTheDead(path, isDead) ? { release: () => releaseOwn(path) } : undefined;
}

/** Who has the lock; undefined when nobody has it, or when the file says nothing. */
export function ownerOf(path: string): LockOwner | undefined {
  return parseOwner(readContent(path) ?? '');
}

/**
 * Two may find the same dead owner, and a slow one must not remove the lock that a fast one has taken since:
 * only who holds the lock named after that very owner removes it, after looking again.
 */
function takeFromTheDead(path: string, isDead: IsDead): boolean {
  if (take(path)) {
    return true;
  }
  const seen = readContent(path);
  const owner = parseOwner(seen ?? '');
  if (seen === undefined || (owner !== undefined && !isDead(owner))) {
    return false;
  }
  const reclaim = `${path}.${createHash('sha256').update(seen).digest('hex').slice(0, 8)}`;
  if (!takeFromTheDead(reclaim, isDead)) {
    return false;
  }
  try {
    if (readContent(path) === seen) {
      rmSync(path, { force: true });
    }
    return take(path);
  } finally {
    rmSync(reclaim, { force: true });
  }
}

/** Creates `path` with its whole content at once: link(2) fails when it exists. */
function take(path: string): boolean {
  const draft = draftOf(path);
  try {
    writeFileSync(draft, JSON.stringify({ ...currentOwner(), nonce: randomUUID() }), { mode: 0o600 });
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) {
      return false;
    }
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readContent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

function releaseOwn(path: string): void {
  const owner = ownerOf(path);
  const self = currentOwner();
  if (owner?.pid === self.pid && owner.startTime === self.startTime) {
    rmSync(path, { force: true });
  }
}
