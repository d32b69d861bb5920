/** The engine as a process has it: with what the state directory and the environment say. */
import { realpath } from 'node:fs/promises';
import { defaultTrashDays } from '../api/trash/schemas';
import { berthVersion } from '../api/version';
import { createEngine, type Engine } from './engine';
import type { EngineLog } from './engine-log';
import { installationId } from './installation';
import { createDrivers } from './make-drivers';
import { imagesDirectory } from './resources';
import { Settings } from './services/engine/settings';
import { SshKeys } from './ssh/keys';
import type { StateDirectory } from './store/state-directory';

const defaultIdleExitMs = 60_000;

/**
 * `exit` is called when it wants to end. Throws what its settings, its installation and what earlier engines left there throw
 * when they can't be read or removed.
 */
export async function makeEngine(
  state: StateDirectory,
  { log }: EngineLog,
  exit: () => void,
): Promise<Engine> {
  const settings = new Settings(state.settings);
  await settings.load();
  const installation = await installationId(state);
  const cache = process.env.BERTH_CACHE ?? state.home;
  await state.sweepImages(cache);
  await state.sweepEngines(await realpath(__dirname));
  return createEngine({
    state,
    settings,
    version: berthVersion,
    idleExitMs: Number(process.env.BERTH_IDLE_EXIT_MS ?? defaultIdleExitMs),
    trashDays: Number(process.env.BERTH_TRASH_DAYS ?? defaultTrashDays),
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
    exit,
  });
}
