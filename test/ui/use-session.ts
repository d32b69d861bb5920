/** What nearly all ui tests begin and end with: a window of VS Code with Berth in its side bar. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berthVsix } from '../runner/package-extension';
import { deleteSnapshots, deleteVolume, deleteWorkspace } from './cleanup';
import { launch, pictureFailure, type LaunchOptions, type Session } from './support/launch';
import {
  endSessions,
  giveBack,
  takeSession,
  type Installed,
  type SharedOptions,
} from './support/shared-session';
import type { Workbench } from './support/workbench';

const firstMs = 90_000;

export interface SessionOptions {
  /** What the tests make, and what is taken away after them. */
  workspaces?: readonly string[];
  volumes?: readonly string[];
  /** Fills the folder before the window opens, and answers what it opens with in place of "that folder". */
  prepare?: (folder: string) => SharedOptions | Promise<SharedOptions>;
  /** With the stand-in of a Remote-SSH extension. */
  hasRemoteSsh?: boolean;
  /**
   * A VS Code, an engine and a home that no other file has, started with this. They take 8 to 10 s on an idle machine, and so only
   * for what is no matter of a window: variables, languages, trust, another container engine.
   */
  own?: (folder: string) => LaunchOptions | Promise<LaunchOptions>;
  /** What shows when it is ready: the views that say that there are no workspaces, the side bar without that, or the bare window. */
  begins?: 'in empty views' | 'in the side bar' | 'bare';
}

export interface UsedSession {
  /** From the first `before` of the tests on. */
  readonly session: Session;
  readonly workbench: Workbench;
  /** Only of these tests. */
  readonly folder: string;
}

after('the VS Codes that files shared', async function () {
  this.timeout(firstMs);
  await endSessions();
});

/** For the start of a `describe`: its own `before` comes after this one, and there is a picture of each test that fails. */
export function useSession(options: SessionOptions = {}): UsedSession {
  const { begins = 'in empty views' } = options;
  let session: Session | undefined;
  let folder: string | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ui-'));
    session = await open(options, folder);
    const { workbench } = session;
    if (begins !== 'bare') await workbench.openSideBar('Berth');
    if (begins === 'in empty views') {
      await workbench.page.getByText('A workspace is a named computer').waitFor({ timeout: firstMs });
    }
  });

  afterEach(function () {
    return pictureFailure(session, this.currentTest);
  });

  after(async function () {
    try {
      const isClean = session !== undefined && (await takeAway(session, options));
      const tests = this.test?.parent?.tests ?? [];
      await close(options, session, isClean && tests.every(({ state }) => state === 'passed'));
    } finally {
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

const installedOf = ({ hasRemoteSsh = false }: SessionOptions): Installed =>
  hasRemoteSsh ? 'remote-ssh' : 'berth';

async function open(options: SessionOptions, folder: string): Promise<Session> {
  if (options.own) return launch({ vsix: await berthVsix(), ...(await options.own(folder)) });
  return takeSession(installedOf(options), (await options.prepare?.(folder)) ?? { folder });
}

async function close(options: SessionOptions, session: Session | undefined, isClean: boolean): Promise<void> {
  if (options.own) await session?.stop();
  else await giveBack(installedOf(options), isClean);
}

/** Whether nothing of what the tests made is left. Some tests delete theirs themselves. */
async function takeAway(
  session: Session,
  { workspaces = [], volumes = [] }: SessionOptions,
): Promise<boolean> {
  let isClean = await deleteSnapshots(session);
  for (const workspace of workspaces) isClean = (await deleteWorkspace(session, workspace)) && isClean;
  for (const volume of volumes) isClean = (await deleteVolume(session, volume)) && isClean;
  return isClean;
}

function known<T>(value: T | undefined): T {
  if (value === undefined)
    throw new Error('there is no session before the first `before`, nor after it failed');
  return value;
}
