/** Starts the engine of a state directory as a process of its own, and says why it can't. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { forEngine } from '../api/engine/environment';
import { BerthError, parseErrorBody, type ErrorBody } from '../api/errors';
import { refuseUnfitHome } from '../api/rules/state-home';
import { engineCopy } from './engine-copy';
import { openErrorFile, openLogTail } from './engine-errors';
import { pollFor } from './wait';

/** A refused connection takes a fraction of a millisecond, and somebody waits for the first answer. */
const pollMs = 5;
/** Pauses before another engine is started when one ended in order while nobody answers; after the last one it is said. */
const retryMs = [20, 100, 300, 800, 1_600];
/** One that was kept from starting by another waits for it; one that ends so soon did not. */
const soonMs = 4_000;

export interface StartOptions {
  /** The engine's bundle. */
  enginePath: string;
  /** The program that runs the bundle: this process's own by default (VS Code's Node, or the CLI's). */
  execPath?: string;
  startTimeoutMs?: number;
  /** What the engine's environment has besides, or instead of, this process's own. */
  env?: Readonly<Record<string, string>>;
}

interface StartedProcess {
  hasFailed: boolean;
  /** It ended in order: it found another engine at work. Should that one not answer, it was just ending. */
  hasYielded: boolean;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Why it can't start, if it knows: it has no other way where the disk is full. */
  reason: ErrorBody | undefined;
  output: () => string;
  /** It is on its own from now on. */
  release: () => void;
}

/**
 * Resolves when `isAnswering` does with true. Nothing is written to a folder that is something else's. Throws `timeout`
 * for an engine that did not answer in time, `internal` or its own error for one that ended.
 */
export async function startEngine(
  home: string,
  options: StartOptions,
  isAnswering: () => Promise<boolean>,
): Promise<void> {
  const timeoutMs = options.startTimeoutMs ?? 20_000;
  let started = startProcess(home, options);
  const log = openLogTail(home);
  let output = '';
  let ends = 0;
  const ask = async (): Promise<true | undefined> => {
    const { hasYielded } = started;
    if (await isAnswering()) {
      started.release();
      return true;
    }
    output = started.output() || output;
    if (started.hasFailed) {
      throw failedStart(started, home, output);
    }
    if (hasYielded) {
      ends = Date.now() - started.startedAt < soonMs ? ends + 1 : 0;
      if (ends > retryMs.length) {
        throw endedAtOnce(ends, home, output || log());
      }
      await sleep(retryMs[ends - 1]);
      started = startProcess(home, options);
    }
    return undefined;
  };
  if ((await pollFor(ask, { timeoutMs, intervalMs: pollMs })) === undefined) {
    throw notStarted(
      'timeout',
      `The Berth engine did not answer within ${timeoutMs / 1000} s.`,
      home,
      output,
    );
  }
}

function startProcess(home: string, options: StartOptions): StartedProcess {
  refuseUnfitHome(home);
  makeHome(home);
  const errors = openErrorFile(home);
  const { output } = errors;
  const release = (): void => undefined;
  const state = { hasFailed: false, hasYielded: false, reason: undefined, startedAt: Date.now() };
  const started: StartedProcess = { ...state, output, release };
  try {
    const child = spawn(options.execPath ?? process.execPath, [engineCopy(home, options.enginePath)], {
      detached: true,
      stdio: ['ignore', 'ignore', errors.descriptor ?? 'ignore', 'ipc'],
      windowsHide: true,
      cwd: home,
      env: forEngine({ ...process.env, ...options.env, BERTH_HOME: home, ELECTRON_RUN_AS_NODE: '1' }),
    });
    follow(child, started);
    return started;
  } finally {
    if (errors.descriptor !== undefined) {
      closeSync(errors.descriptor);
    }
  }
}

/** Without keeping this process alive for it. */
function follow(child: ChildProcess, started: StartedProcess): void {
  child.on('error', (error) => {
    started.hasFailed = true;
    started.output = () => error.message;
  });
  child.on('message', (message) => (started.reason = parseErrorBody(message)));
  child.on('exit', (code) => {
    const note = (): void => {
      started.hasFailed = code !== 0;
      started.hasYielded = code === 0;
    };
    // What it said last may still be on its way.
    if (child.connected) {
      child.once('disconnect', note);
    } else {
      note();
    }
  });
  started.release = () => {
    if (child.connected) {
      child.disconnect();
    }
  };
  child.unref();
  child.channel?.unref();
}

function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BerthError('internal', `The state directory ${home} can't be made: ${reason}.`, {
      hint: 'Set BERTH_HOME (in VS Code: berth.stateDirectory) to a folder that you may write to.',
      cause: error,
    });
  }
}

function failedStart({ reason }: StartedProcess, home: string, output: string): BerthError {
  const what = 'The Berth engine could not start';
  return reason === undefined
    ? notStarted('internal', `${what}.`, home, output)
    : new BerthError(reason.code, `${what}: ${reason.message}`, reason);
}

function endedAtOnce(times: number, home: string, output: string): BerthError {
  const what = `The Berth engine was started ${times} times and ended at once each time, without an error.`;
  return notStarted('internal', what, home, output);
}

function notStarted(code: 'internal' | 'timeout', what: string, home: string, output: string): BerthError {
  return new BerthError(code, output === '' ? what : `${what} Its output: ${output}`, {
    hint: `${join(home, 'engine.log')} and ${join(home, 'engine.stderr')} say more.`,
  });
}
