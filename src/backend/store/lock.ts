/**
 * A lock file that a dead owner can't keep. Libraries for this compare modification times, which needs a
 * timer that wakes an idle engine every second; this one names its owner (pid, start time, boot).
 */
import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { draftOf } from './drafts';
import { isErrno } from './files';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity';

export interface Lock {
  release(): void;
}

/** The lock, or undefined when a running process holds it. */
export function acquireLock(path: string): Lock | undefined {
  return takeFromTheDead(path) ? { release: () => releaseOwn(path) } : undefined;
}

/**
 * Two may find the same dead owner, and a slow one must not remove the lock that a fast one has taken since:
 * only who holds the lock named after that very owner removes it, after looking again.
 */
function takeFromTheDead(path: string): boolean {
  if (take(path)) {
    return true;
  }
  const seen = readContent(path);
  if (seen === undefined || ownerRuns(seen)) {
    return false;
  }
  const reclaim = `${path}.${createHash('sha256').update(seen).digest('hex').slice(0, 8)}`;
  if (!takeFromTheDead(reclaim)) {
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
  writeFileSync(draft, JSON.stringify({ ...identityOf(process.pid), nonce: randomUUID() }), { mode: 0o600 });
  try {
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

function ownerRuns(content: string): boolean {
  const owner = parseOwner(content);
  return owner !== undefined && isRunning(owner);
}

function parseOwner(content: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(content);
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
  const owner = parseOwner(readContent(path) ?? '');
  const self = identityOf(process.pid);
  if (owner?.pid === self.pid && owner.startTime === self.startTime) {
    rmSync(path, { force: true });
  }
}
