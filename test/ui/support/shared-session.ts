/**
 * One VS Code with one engine for many files of tests: each gets a window of its own, in a browser context of its own, with the
 * settings and the home of a first start. What a window leaves ends with it: its extension host, its editors, what it remembers.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { berthVsix, packageExtension } from '../../runner/package-extension';
import { ROOT, vsCodeServer } from '../../runner/setup';
import { UI_SETTINGS, launch, type LaunchOptions, type Session, type WindowOptions } from './launch';

/** All that differs from window to window of one VS Code. */
export interface SharedOptions extends WindowOptions {
  settings?: Record<string, unknown>;
}

/** A start of VS Code: with Berth alone, or with the stand-in of a Remote-SSH extension beside it. */
export type Installed = 'berth' | 'remote-ssh';

const started = new Map<Installed, Session>();

/** A window of the VS Code with these extensions, which is started for the first one. */
export async function takeSession(installed: Installed, options: SharedOptions): Promise<Session> {
  const running = started.get(installed);
  if (running === undefined) {
    const session = await startWith(installed, options);
    started.set(installed, session);
    return session;
  }
  try {
    const { settings, ...window } = options;
    await asAtFirst(running, settings);
    running.workbench = await running.newWindow(window);
    return running;
  } catch (error) {
    await endSession(installed);
    throw error;
  }
}

/** For the next file. What is not as it should be goes whole, so that no failure makes another. */
export async function giveBack(installed: Installed, isClean: boolean): Promise<void> {
  const session = started.get(installed);
  if (session === undefined) return;
  const isClosed = isClean && (await closeWindows(session));
  if (!isClosed) await endSession(installed);
}

/** The end of every VS Code that was shared. */
export async function endSessions(): Promise<void> {
  for (const installed of [...started.keys()]) await endSession(installed);
}

async function endSession(installed: Installed): Promise<void> {
  const session = started.get(installed);
  started.delete(installed);
  await session?.stop();
}

async function startWith(installed: Installed, options: SharedOptions): Promise<Session> {
  const berth = await berthVsix();
  if (installed === 'berth') return launch({ ...options, vsix: berth });
  const folder = await mkdtemp(join(tmpdir(), 'berth-vsix-'));
  try {
    const remoteSsh = join(folder, 'remote-ssh.vsix');
    await packageExtension(join(ROOT, 'test/ui/fixtures/remote-ssh'), remoteSsh);
    return await launch({ ...options, vsix: [berth, remoteSsh] } satisfies LaunchOptions);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function asAtFirst(session: Session, settings: Record<string, unknown> = {}): Promise<void> {
  const { directory, home } = session.vscode;
  const { QUIET_SETTINGS } = await vsCodeServer();
  const text = JSON.stringify({ ...QUIET_SETTINGS, ...UI_SETTINGS, ...settings });
  for (const scope of ['User', 'Machine'])
    await writeFile(join(directory, 'data', scope, 'settings.json'), text);
  await rm(join(home, '.ssh'), { recursive: true, force: true });
  session.consoleLines.splice(0);
}

/** A page that goes elsewhere says goodbye: its extension host ends at once, and not when it has waited for the page to come back. */
async function closeWindows({ browser }: Session): Promise<boolean> {
  try {
    for (const context of browser.contexts()) {
      for (const page of context.pages()) await page.goto('about:blank');
      await context.close();
    }
    return true;
  } catch (error) {
    console.error(`a window could not be closed: ${String(error)}`);
    return false;
  }
}
