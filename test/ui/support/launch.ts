/** Starts a VS Code with an extension in it, and a browser that looks at it. */
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, newPage } from '../../runner/browser';
import { pageUrl, type PageOptions } from '../../runner/payload';
import { startVsCode, type VsCode, type VsCodeOptions } from '../../runner/vscode';
import { Workbench } from './workbench';

export interface WindowOptions extends Omit<PageOptions, 'extensionTestsPath'> {
  /** Gets the page before it goes anywhere. */
  onPage?: (page: Page) => void;
}

export interface LaunchOptions extends Omit<VsCodeOptions, 'smokeTestDriver'>, WindowOptions {
  /** Called when VS Code runs and has no window yet. */
  onStart?: (vscode: VsCode) => Promise<void>;
}

export interface Session {
  vscode: VsCode;
  browser: Browser;
  workbench: Workbench;
  /** What the page printed and which errors it threw, for the message of a failure. */
  consoleLines: string[];
  /** Another window on the same VS Code. */
  newWindow(options?: WindowOptions): Promise<Workbench>;
  /** Takes down browser, server, engine and files. */
  stop(): Promise<void>;
}

/** What sessions have beside the quiet settings of every test. */
export const UI_SETTINGS = {
  // The text of a terminal can be read only from the DOM renderer.
  'terminal.integrated.gpuAcceleration': 'off',
  'workbench.hover.delay': 100,
  // A click may meet the folders that a tree keeps over its first row.
  'workbench.tree.enableStickyScroll': false,
  'workbench.colorTheme': 'Default Dark Modern',
};

/** Name a `vsix`, which gets installed; or an `extensionDevelopmentPath`, but then VS Code shows no notifications. */
export async function launch(options: LaunchOptions): Promise<Session> {
  const { env, vsix, settings, asksForTrust, locale, onStart, ...window } = options;
  const vscode = await startVsCode({
    ...(env ? { env } : {}),
    ...(vsix ? { vsix } : {}),
    ...(asksForTrust ? { asksForTrust } : {}),
    ...(locale ? { locale } : {}),
    settings: { ...UI_SETTINGS, ...settings },
    smokeTestDriver: window.extensionDevelopmentPath !== undefined,
  });
  let browser: Browser | undefined;
  try {
    await onStart?.(vscode);
    browser = await launchBrowser(vscode.chromium, vscode.directory);
    const started = browser;
    const consoleLines: string[] = [];
    const newWindow = (other: WindowOptions = window): Promise<Workbench> =>
      openWindow(vscode, started, other, (page) => keepConsole(page, consoleLines));
    const workbench = await newWindow();
    const stop = (): Promise<void> => stopAll(vscode, started);
    return { vscode, browser: started, workbench, consoleLines, newWindow, stop };
  } catch (error) {
    await stopAll(vscode, browser);
    throw error;
  }
}

async function openWindow(
  vscode: VsCode,
  browser: Browser,
  { onPage, ...window }: WindowOptions,
  prepare: (page: Page) => void,
): Promise<Workbench> {
  const page = await newPage(browser);
  prepare(page);
  onPage?.(page);
  await page.goto(pageUrl(vscode.server.origin, window));
  const workbench = new Workbench(page);
  await workbench.waitUntilReady();
  return workbench;
}

function keepConsole(page: Page, lines: string[]): void {
  page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => lines.push(`uncaught: ${error.stack ?? error.message}`));
}

async function stopAll(vscode: VsCode, browser: Browser | undefined): Promise<void> {
  try {
    await browser?.close();
  } finally {
    await vscode.stop();
  }
}

/** For `afterEach`: leaves a picture of the window in which a test failed. */
export async function pictureFailure(
  session: Session | undefined,
  test: Mocha.Test | undefined,
): Promise<void> {
  if (!test || !session || test.state === 'passed' || test.isPending()) return;
  const name = test
    .fullTitle()
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(0, 100);
  const path = await session.workbench.screenshot(`failed-${name}`).catch(() => undefined);
  if (path) console.error(`      see ${path}`);
  // The next one finds no menu and no dialog of it.
  for (let layer = 0; layer < 3; layer += 1)
    await session.workbench.page.keyboard.press('Escape').catch(() => undefined);
}
