/**
 * A lock file that a dead owner can't keep. Libraries for this compare modification times, which needs a
 * timer that wakes an idle engine every second; this one names its owner (pid, start time, boot, where). Only who can't
 * see the owner's process (another pid namespace, another machine) goes by the time, which is set now and then.
 */
import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { draftOf } from './drafts';
import { isErrno } from './files';
import { isRunning } from './process-identity';
import { currentOwner, parseOwner, verdictOn, type LockOwner, type Verdict } from './lock-owner';

const touchMs = 10_000;
const silentMs = 60_000;
const takeAttempts = 100;

export interface Lock {
  release(): void;
}

export type IsDead = (owner: LockOwner) => boolean;

/** The lock, or undefined when its owner is not dead, as `isDead` has it. */
export function acquireLock(path: string, isDead?: IsDead): Lock | undefined {
  if (isDead !== undefined) {
    return takeFromTheDead(path, isDead) ? { release: () => releaseOwn(path) } : undefined;
  }
  if (!takeFromTheDead(path, (owner) => hasEnded(path, owner))) {
    return undefined;
  }
  const untouch = touchLock(path, touchMs);
  const release = (): void => {
    untouch();
    releaseOwn(path);
  };
  return { release };
}

/** Whether the owner of a lock that is touched has ended: one that can't be seen from here, when it is silent. */
export function hasEnded(
  path: string,
  owner: LockOwner,
  judge: (owner: LockOwner, path: string) => Verdict = verdictOn,
): boolean {
  // Berth 0.1 said no more of itself, and touched nothing.
  if (owner.pidNamespace === undefined) {
    return !isRunning(owner);
  }
  const verdict = judge(owner, path);
  const isSeen = verdict === 'running' || verdict === 'dead';
  return isSeen ? verdict === 'dead' : Date.now() - touchedAt(path) > silentMs;
}

/** When the lock was touched last, in ms since 1970, by the clock of whoever did; 0 when it is not there. */
export function touchedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Touches a lock of ours until the answer is called: to those who can't see this process it is alive. */
export function touchLock(path: string, everyMs: number): () => void {
  const touch = (): void => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // Gone, or on a disk that takes nothing: as if it had not been touched.
    }
  };
  touch();
  const timer = setInterval(touch, everyMs).unref();
  return () => clearInterval(timer);
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
  for (let attempt = 1; ; attempt += 1) {
    const draft = draftOf(path);
    try {
      writeFileSync(draft, JSON.stringify({ ...currentOwner(), nonce: randomUUID() }), { mode: 0o600 });
      linkSync(draft, path);
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) {
        return false;
      }
      // Whoever has just got the lock sweeps the folder of drafts, this one too.
      if (!isSwept(error) || attempt === takeAttempts) {
        throw error;
      }
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

function isSwept(error: unknown): boolean {
  return isErrno(error, 'ENOENT') && (error as NodeJS.ErrnoException).syscall === 'link';
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
