/** An engine of its own for a benchmark, with an empty or prepared state directory. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berthVersion } from '../../src/api/version';
import type { EngineClient } from '../../src/client/engine-client';
import { connect, untilGone } from '../../src/client/launch';
import { repository } from './report';

export const enginePath = process.env.BERTH_ENGINE_PATH ?? join(repository, 'dist', 'engine.js');

export interface RunningEngine {
  home: string;
  client: EngineClient;
  pid: number;
}

/** A state directory for the time of a call, in a folder of its own: what belongs beside it goes with it. */
export async function withHome<T>(use: (home: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  try {
    const home = join(folder, 'home');
    mkdirSync(home, { mode: 0o700 });
    return await use(home);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts an engine, gives it away, and ends it; `prepare` may put records into its state directory. */
export function withEngine<T>(
  use: (engine: RunningEngine) => Promise<T>,
  prepare: (home: string) => void = () => undefined,
): Promise<T> {
  return withHome(async (home) => {
    prepare(home);
    const client = await start(home);
    try {
      const { pid } = await client.call('engine.info', {});
      return await use({ home, client, pid });
    } finally {
      await client.call('engine.stop', { body: {} });
      await untilGone(client);
      client.dispose();
    }
  });
}

export function start(home: string): Promise<EngineClient> {
  return connect({ enginePath, version: berthVersion, home });
}
