/** What nearly all ui tests begin and end with: a VS Code of their own with Berth in its side bar. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berthVsix } from '../runner/package-extension';
import { berth, cleanUp, deleteSnapshots } from './cleanup';
import { launch, pictureFailure, type LaunchOptions, type Session } from './support/launch';
import type { Workbench } from './support/workbench';

const firstMs = 90_000;

export interface SessionOptions {
  /** What the tests make, and what is taken away after them. */
  workspaces?: readonly string[];
  volumes?: readonly string[];
  /** Fills the folder before VS Code starts, and answers what it starts with in place of "with that folder open". */
  prepare?: (folder: string) => LaunchOptions | Promise<LaunchOptions>;
  /** No engine will say that there are no workspaces yet, which is waited for otherwise. */
  isWithoutEngine?: boolean;
}

export interface UsedSession {
  /** From the first `before` of the tests on. */
  readonly session: Session;
  readonly workbench: Workbench;
  /** Only of these tests. */
  readonly folder: string;
}

/** For the start of a `describe`: its own `before` comes after this one, and there is a picture of each test that fails. */
export function useSession(options: SessionOptions = {}): UsedSession {
  const { workspaces = [], volumes = [], prepare, isWithoutEngine = false } = options;
  let session: Session | undefined;
  let folder: string | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ui-'));
    const launched = (await prepare?.(folder)) ?? { folder };
    session = await launch({ vsix: await berthVsix(), ...launched });
    const { workbench } = session;
    await workbench.openSideBar('Berth');
    if (!isWithoutEngine) {
      await workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: firstMs });
    }
  });

  afterEach(function () {
    return pictureFailure(session, this.currentTest);
  });

  after(async () => {
    try {
      await deleteSnapshots(session);
      for (const workspace of workspaces) await cleanUp(session, workspace);
      for (const volume of volumes) await deleteVolume(session, volume);
    } finally {
      await session?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true });
    }
  });

  return {
    get session() {
      return known(session);
    },
    get workbench() {
      return known(session).workbench;
    },
    get folder() {
      return known(folder);
    },
  };
}

/** Some tests delete theirs themselves. */
async function deleteVolume(session: Session | undefined, volume: string): Promise<void> {
  if (session === undefined) return;
  await berth(session, 'volume', 'delete', volume, '--yes').catch((error: unknown) => {
    if (!String(error).includes('There is no volume')) {
      console.error(`${volume} could not be deleted: ${String(error)}`);
    }
  });
}

function known<T>(value: T | undefined): T {
  if (value === undefined)
    throw new Error('there is no session before the first `before`, nor after it failed');
  return value;
}
