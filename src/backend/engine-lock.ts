/** The lock that keeps the engine of a state directory single. */
import { createConnection } from 'node:net';
import { BerthError } from '../api/errors';
import { isErrno } from './machine/files';
import { acquireLock, ownerOf, touchLock, touchedAt, type Lock } from './machine/lock';
import { verdictOn, type LockOwner, type Verdict } from './machine/lock-owner';
import { askFor } from './machine/wait';

const connectTimeoutMs = 1_000;
const pollMs = 50;
const touchMs = 1_000;

export interface EngineLockOptions {
  /** How long an engine that does not answer may go on ending, or starting. */
  timeoutMs?: number;
  judge?: (owner: LockOwner, path: string) => Verdict;
}

/** Another engine has the state directory. */
export interface Taken {
  by: LockOwner | undefined;
  /** It listens; otherwise it is ending or starting. */
  isAnswering: boolean;
}

/**
 * Takes the lock. The socket is asked first: an engine that listens lives, whatever its pid looks like from here. An
 * engine of another pid namespace counts as dead when it has neither answered nor touched its lock until the timeout,
 * one on another machine never: that is thrown, with the machine's name.
 */
export async function takeEngineLock(
  path: string,
  socket: string,
  { timeoutMs = 5_000, judge = verdictOn }: EngineLockOptions = {},
): Promise<Lock | Taken> {
  let touched = { at: touchedAt(path), seen: performance.now() };
  const ask = async (): Promise<Lock | Taken | undefined> => {
    if (await isListening(socket)) {
      return { by: ownerOf(path), isAnswering: true };
    }
    const at = touchedAt(path);
    touched = at === touched.at ? touched : { at, seen: performance.now() };
    const isQuiet = performance.now() - touched.seen > timeoutMs;
    return acquireLock(path, (owner) => {
      const verdict = judge(owner, path);
      if (verdict === 'elsewhere') {
        throw usedElsewhere(path, owner);
      }
      return verdict === 'dead' || (verdict === 'unknown' && isQuiet);
    });
  };
  const answer = await askFor(ask, { what: "the engine's lock", timeoutMs, intervalMs: pollMs });
  return answer ?? { by: ownerOf(path), isAnswering: false };
}

/**
 * To be called by the owner of the lock while it does not listen, as it starts or ends: from another pid namespace
 * nothing else shows that it lives. Ends with the call of the answer.
 */
export function touchEngineLock(path: string): () => void {
  return touchLock(path, touchMs);
}

function usedElsewhere(path: string, { hostName = '', pid }: LockOwner): BerthError {
  return new BerthError(
    'in_use',
    `The engine of this state directory runs on another machine, ${JSON.stringify(hostName)} (process ${pid}).`,
    { hint: `End it there with \`berth down\`. If that machine is off, remove ${path} and try again.` },
  );
}

/** Somebody accepts connections; one that is halted still does. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const end = (listens: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(listens);
    };
    const timer = setTimeout(() => end(true), connectTimeoutMs);
    socket.once('connect', () => end(true));
    socket.on('error', (error) => end(!isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR')));
  });
}
