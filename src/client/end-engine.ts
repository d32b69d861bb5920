/** Ends an engine: by asking, and by its process when it does not answer any more. */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../api/errors';
import { socketPath } from './endpoint';
import { EngineClient } from './engine-client';
import { EngineUnreachable } from './transport';
import { pollFor } from './wait';

const pollMs = 50;

export interface EndOptions {
  /** How long it may take to answer, and to end after each of asking, SIGTERM and SIGKILL. */
  timeoutMs?: number;
  warn: (message: string) => void;
}

/**
 * `pid` is that of the engine that the client has talked to. Only when the lock of the state directory names it as well
 * is the process ended by force. Throws `timeout` when it still runs afterwards.
 */
export async function endEngine(
  client: EngineClient,
  home: string,
  pid: number | undefined,
  { timeoutMs = 5_000, warn }: EndOptions,
): Promise<void> {
  try {
    await client.callRunning('engine.stop', { body: {}, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    warn(`The engine did not take the request to end: ${String(error)}`);
  }
  if (await isGoneWithin(client, pid, timeoutMs)) {
    return;
  }
  if (pid !== undefined && (await lockedBy(home)) === pid) {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      warn(`The engine does not end: ${signal} to its process ${pid}.`);
      end(pid, signal);
      if (await isGoneWithin(client, pid, timeoutMs)) {
        return;
      }
    }
  }
  throw new BerthError('timeout', 'The engine does not end.', {
    hint: 'Look at engine.log in the state directory, and end its process by hand.',
  });
}

/** The engine of a state directory, whoever started it. false: none runs. */
export async function endEngineOf(home: string, options: EndOptions): Promise<boolean> {
  const client = new EngineClient(socketPath(home));
  try {
    const pid = await pidOf(client, home, options.timeoutMs ?? 10_000);
    if (pid === 'none') {
      return false;
    }
    await endEngine(client, home, pid, options);
    return true;
  } finally {
    client.dispose();
  }
}

/** Whoever holds the socket and does not answer is whom the lock names. */
async function pidOf(
  client: EngineClient,
  home: string,
  timeoutMs: number,
): Promise<number | 'none' | undefined> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    return (await client.callRunning('engine.info', { query: { drivers: false }, signal })).pid;
  } catch (error) {
    return error instanceof EngineUnreachable ? 'none' : lockedBy(home);
  }
}

/** Another engine that answers by then was started by somebody else: the one with that `pid` is gone. */
async function isGoneWithin(
  client: EngineClient,
  pid: number | undefined,
  timeoutMs: number,
): Promise<boolean> {
  const limit = AbortSignal.timeout(timeoutMs);
  const isGone = async (): Promise<true | undefined> => {
    try {
      const now = await client.callRunning('engine.info', { query: { drivers: false }, signal: limit });
      return pid !== undefined && now.pid !== pid ? true : undefined;
    } catch (error) {
      return error instanceof EngineUnreachable && !limit.aborted ? true : undefined;
    }
  };
  return (await pollFor(isGone, { timeoutMs, intervalMs: pollMs })) ?? false;
}

/** The process that the lock names; undefined where its number means nothing here, or can't be known. */
async function lockedBy(home: string): Promise<number | undefined> {
  try {
    const lock: unknown = JSON.parse(await readFile(join(home, 'engine.lock'), 'utf8'));
    if (typeof lock !== 'object' || lock === null || !('pid' in lock) || typeof lock.pid !== 'number') {
      return undefined;
    }
    const isOfHere = 'hostName' in lock && lock.hostName === hostname();
    const space = await readlink('/proc/self/ns/pid').catch(() => '');
    return isOfHere && 'pidNamespace' in lock && lock.pidNamespace === space ? lock.pid : undefined;
  } catch {
    return undefined;
  }
}

function end(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just gone, which the next look tells.
  }
}
