/** The engine process: one per state directory, started by the first client, ending by itself. */
import { socketPath, stateDirectory } from '../api/rules/endpoint';
import { BerthError } from '../api/errors';
import { refuseUnfitHome } from '../api/rules/state-home';
import { berthVersion } from '../api/version';
import type { Engine } from './engine';
import { takeEngineLock, touchEngineLock, type Taken } from './engine-lock';
import { openLog, type EngineLog } from './engine-log';
import { listen, removeSocketFolder } from './listen';
import { keepReserve, withReserve } from './reserve';
import { makeEngine } from './make-engine';
import { createServer } from './server/server';
import type { Lock } from './machine/lock';
import { StateDirectory } from './store/state-directory';
import { onRejection, onUncaught } from './unhandled';

const closeTimeoutMs = 15_000;
const failedCloseTimeoutMs = 3_000;

type End = 'asked' | 'failed';

interface Ending {
  request: (end: End) => void;
  requested: Promise<End>;
}

function makeEnding(): Ending {
  let request = (_end: End): void => undefined;
  const requested = new Promise<End>((resolve) => (request = resolve));
  return { request, requested };
}

/** `untouch`: the lock is touched until that is called. */
async function run(
  state: StateDirectory,
  lock: Lock,
  engineLog: EngineLog,
  untouch: () => void,
): Promise<End> {
  const { log } = engineLog;
  const ending = makeEnding();
  const started: { engine?: Engine } = {};
  const unhandled = {
    log,
    running: () => started.engine?.running() ?? ['the start'],
    end: () => ending.request('failed'),
    print,
  };
  process.on('uncaughtException', onUncaught(unhandled));
  process.on('unhandledRejection', onRejection(unhandled));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => ending.request('asked'));
  }
  const engine = await makeEngine(state, engineLog, () => ending.request('asked'));
  started.engine = engine;
  // The one waits for files and container engines, the other computes.
  const [server] = await Promise.all([createServer(engine.services, berthVersion), engine.load()]);
  await keepReserve(state.reserve);
  await listen(server, socketPath(state.home));
  untouch();
  // Who started it has not been able to ask for anything before.
  engine.services.lifetime.touch();
  log.info({ home: state.home, version: berthVersion, node: process.version }, 'engine ready');
  const end = await ending.requested;
  log.info({ end }, 'engine ends');
  const untouchLast = touchEngineLock(state.lock);
  // Whatever hangs must not keep the lock: what is not done by then is found by the next start.
  const timeoutMs = end === 'failed' ? failedCloseTimeoutMs : closeTimeoutMs;
  setTimeout(() => process.exit(1), timeoutMs).unref();
  // A failed engine does not say farewell: its clients see a broken connection, which they mend.
  await (end === 'failed' ? undefined : server.close());
  await engine.close();
  await removeSocketFolder(socketPath(state.home), state.home).catch(() => undefined);
  untouchLast();
  lock.release();
  await engineLog.close();
  return end;
}

/** Undefined where another engine is at work. */
async function start(): Promise<End | undefined> {
  process.umask(0o077);
  const home = stateDirectory();
  refuseUnfitHome(home);
  const state = new StateDirectory(home);
  const lock = await withReserve(state.reserve, home, async () => {
    await state.ensure();
    return takeEngineLock(state.lock, socketPath(home));
  });
  if (!('release' in lock)) {
    reportTaken(state.lock, lock);
    return undefined;
  }
  const untouch = touchEngineLock(state.lock);
  const engineLog = await openLog(state.log, process.env.BERTH_LOG_LEVEL ?? 'info');
  try {
    return await run(state, lock, engineLog, untouch);
  } catch (error) {
    engineLog.log.fatal({ err: error }, 'engine failed');
    untouch();
    lock.release();
    await engineLog.close();
    throw error;
  }
}

/** Who starts engines tries again for a while, and quotes this when it gives up. */
function reportTaken(path: string, { by, isAnswering }: Taken): void {
  if (!isAnswering) {
    print(`Process ${by?.pid ?? '?'} holds ${path} and does not answer: it is starting, ending, or hangs.`);
  }
}

function print(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
}

function explain(error: unknown): string {
  if (error instanceof BerthError) {
    return `${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** To the client that started this engine, which shows it: also where nothing can be written. */
async function report(error: unknown): Promise<void> {
  if (error instanceof BerthError && process.connected) {
    await new Promise((resolve) => process.send?.({ error: error.toBody() }, resolve));
  }
}

start().then(
  (end) => process.exit(end === 'failed' ? 1 : 0),
  async (error: unknown) => {
    print(explain(error));
    await report(error);
    process.exit(1);
  },
);
