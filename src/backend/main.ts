/** The engine process: one per state directory, started by the first client, ending by itself. */
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketPath, stateDirectory } from '../api/endpoint';
import { berthVersion } from '../api/version';
import { createDrivers } from './make-drivers';
import { createEngine } from './engine';
import { openLog, type EngineLog } from './engine-log';
import { installationId } from './installation';
import { listen } from './listen';
import { imagesDirectory } from './resources';
import { createServer } from './server/server';
import { Settings } from './services/settings';
import { acquireLock, type Lock } from './store/lock';
import { SshKeys } from './ssh/keys';
import { StateDirectory } from './store/state-directory';

const defaultIdleExitMs = 60_000;
const lockPatienceMs = 5_000;
const closePatienceMs = 15_000;

/** Somebody answers on the engine's socket. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const end = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** An engine that is just ending still has the lock for a moment; one that answers keeps it. */
async function takeLock(path: string, socket: string): Promise<Lock | undefined> {
  const end = Date.now() + lockPatienceMs;
  for (;;) {
    const lock = acquireLock(path);
    if (lock !== undefined || Date.now() > end || (await isAnswering(socket))) {
      return lock;
    }
    await sleep(50);
  }
}

async function run(state: StateDirectory, lock: Lock, engineLog: EngineLog): Promise<void> {
  const { log } = engineLog;
  const settings = new Settings(state.settings);
  await settings.load();
  const installation = await installationId(state);
  const cache = process.env.BERTH_CACHE ?? state.home;
  await state.sweepImages(cache);
  let exitRequested = (): void => undefined;
  const exiting = new Promise<void>((resolve) => (exitRequested = resolve));
  const engine = createEngine({
    state,
    settings,
    version: berthVersion,
    idleExitMs: Number(process.env.BERTH_IDLE_EXIT_MS ?? defaultIdleExitMs),
    log,
    makeDrivers: (_, isAdopted) =>
      createDrivers({
        home: state.home,
        cache,
        dockerHost: () => settings.get().dockerHost,
        privateKey: async () => (await new SshKeys(state).clientKey()).privateKey,
        imagesDirectory: imagesDirectory(),
        installation,
        isAdopted,
        log,
        opensLoopback: () => settings.get().hostLoopback === true,
      }),
    exit: () => exitRequested(),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => exitRequested());
  }
  await engine.load();
  const server = await createServer(engine.services, berthVersion);
  await listen(server, socketPath(state.home));
  log.info({ home: state.home, version: berthVersion, node: process.version }, 'engine ready');
  await exiting;
  log.info({}, 'engine ends');
  // Whatever hangs must not keep the lock: what is not done by then is found by the next start.
  setTimeout(() => process.exit(1), closePatienceMs).unref();
  await server.close();
  await engine.close();
  lock.release();
  await engineLog.close();
}

async function main(): Promise<void> {
  process.umask(0o077);
  const state = new StateDirectory(stateDirectory());
  await state.ensure();
  const lock = await takeLock(state.lock, socketPath(state.home));
  if (lock === undefined) {
    return;
  }
  const engineLog = await openLog(state.log, process.env.BERTH_LOG_LEVEL ?? 'info');
  process.on('unhandledRejection', (error) => engineLog.log.error({ err: error }, 'unhandled rejection'));
  try {
    await run(state, lock, engineLog);
  } catch (error) {
    engineLog.log.fatal({ err: error }, 'engine failed');
    await engineLog.close();
    throw error;
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
