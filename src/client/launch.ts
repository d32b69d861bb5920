/** Finds the engine of a state directory, or starts it; hands over from an older engine when that is idle. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../api/errors';
import type { EngineInfo } from '../api/schemas/engine';
import { protocolVersion } from '../api/version';
import { socketPath, stateDirectory } from './endpoint';
import { EngineClient } from './engine-client';
import { EngineUnreachable } from './transport';

export interface LaunchOptions {
  /** The engine's bundle. */
  enginePath: string;
  /** The version of this client; an idle engine of another version is replaced. */
  version: string;
  home?: string;
  /** The program that runs the bundle: this process's own by default (VS Code's Node, or the CLI's). */
  execPath?: string;
  startTimeoutMs?: number;
  /** Told before an engine is started. */
  onStart?: () => void;
}

const pollMs = 20;

/** The running engine's description, or undefined when none answers. */
export async function probe(client: EngineClient): Promise<EngineInfo | undefined> {
  try {
    return await client.call('engine.info', { signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    if (error instanceof EngineUnreachable) {
      return undefined;
    }
    throw error;
  }
}

/** A client of a running engine of this version. */
export async function connect(options: LaunchOptions): Promise<EngineClient> {
  const home = options.home ?? stateDirectory();
  const client = new EngineClient(socketPath(home));
  try {
    const running = await probe(client);
    if (running !== undefined && !(await handOver(client, running, options))) {
      return client;
    }
    options.onStart?.();
    await untilAnswering(client, home, options);
    return client;
  } catch (error) {
    client.dispose();
    throw error;
  }
}

/** true: the engine of another version has gone, start our own. */
async function handOver(client: EngineClient, running: EngineInfo, options: LaunchOptions): Promise<boolean> {
  if (running.version === options.version) {
    return false;
  }
  const answer = await client.call('engine.stop', { body: { onlyIfIdle: true } });
  if (answer.stopping) {
    await untilGone(client);
    return true;
  }
  if (running.protocol === protocolVersion) {
    return false;
  }
  throw new BerthError(
    'runtime_unavailable',
    `An engine of version ${running.version} is busy (${answer.reason ?? 'working'}) and does not understand this version (${options.version}).`,
    { hint: 'Try again when its work is done, or stop it with `berth down`.' },
  );
}

/** Waits until no engine answers any more. */
export async function untilGone(client: EngineClient): Promise<void> {
  const end = Date.now() + 15_000;
  while (Date.now() < end) {
    if ((await probe(client)) === undefined) {
      return;
    }
    await sleep(pollMs);
  }
  throw new BerthError('timeout', 'The older engine did not end within 15 s.', {
    hint: 'Look at engine.log in the state directory.',
  });
}

interface StartedProcess {
  hasFailed: boolean;
  /** It found another engine at work. Should that one not answer, it was just ending: another try is due. */
  hasYielded: boolean;
}

function startProcess(home: string, options: LaunchOptions): StartedProcess {
  const started: StartedProcess = { hasFailed: false, hasYielded: false };
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const errors = openSync(join(home, 'engine.stderr'), 'w', 0o600);
  try {
    const child = spawn(options.execPath ?? process.execPath, [options.enginePath], {
      detached: true,
      stdio: ['ignore', 'ignore', errors],
      windowsHide: true,
      cwd: home,
      env: { ...process.env, BERTH_HOME: home, ELECTRON_RUN_AS_NODE: '1' },
    });
    child.on('error', () => (started.hasFailed = true));
    child.on('exit', (code) => {
      started.hasFailed = code !== 0;
      started.hasYielded = code === 0;
    });
    child.unref();
    return started;
  } finally {
    closeSync(errors);
  }
}

async function untilAnswering(client: EngineClient, home: string, options: LaunchOptions): Promise<void> {
  const timeoutMs = options.startTimeoutMs ?? 20_000;
  const end = Date.now() + timeoutMs;
  let started = startProcess(home, options);
  while (Date.now() < end) {
    const { hasYielded } = started;
    if ((await probe(client)) !== undefined) {
      return;
    }
    if (started.hasFailed) {
      throw new BerthError('internal', `The Berth engine could not start.${lastWords(home)}`, {
        hint: `Look at ${join(home, 'engine.log')}.`,
      });
    }
    if (hasYielded) {
      started = startProcess(home, options);
    }
    await sleep(pollMs);
  }
  throw new BerthError(
    'timeout',
    `The Berth engine did not answer within ${timeoutMs / 1000} s.${lastWords(home)}`,
    {
      hint: `Look at ${join(home, 'engine.log')}.`,
    },
  );
}

function lastWords(home: string): string {
  try {
    const text = readFileSync(join(home, 'engine.stderr'), 'utf8').trim();
    return text === '' ? '' : ` It said: ${text.slice(-2000)}`;
  } catch {
    return '';
  }
}
