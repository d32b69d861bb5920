/** Runs tests inside the extension host of a VS Code in a browser. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, newPage } from './browser';
import { pageUrl } from './payload';
import { REPORT_MARK, readResult } from './result';
import { ROOT } from './setup';
import { Status, judge, type Ending, type Verdict } from './statuses';
import { startVsCode, type VsCode } from './vscode';

export interface HostRunOptions {
  /** Absolute path of the extension's directory. */
  extension: string;
  /** Absolute path of the module that exports `run()`. */
  tests: string;
  folder?: string;
  /** Milliseconds, from the page's opening to the end of the tests. */
  timeout: number;
  /** Where the tests' report goes. Default: the console. */
  print?: (text: string) => void;
}

/** Starts everything, runs the tests once, and stops everything. */
export async function runInVsCode(options: HostRunOptions): Promise<Verdict> {
  const vscode = await startVsCode({ smokeTestDriver: true });
  try {
    const browser = await launchBrowser(vscode.chromium, vscode.directory);
    try {
      return await runInPage(vscode, browser, options);
    } finally {
      await browser.close();
    }
  } finally {
    await vscode.stop();
  }
}

/** Runs the tests once, in a new page of a VS Code that runs already. */
export async function runInPage(vscode: VsCode, browser: Browser, options: HostRunOptions): Promise<Verdict> {
  await rm(vscode.resultFile, { force: true });
  const page = await newPage(browser);
  try {
    const consoleLines: string[] = [];
    const ending = await follow(page, vscode, options, consoleLines);
    const verdict = judge(ending, await readResult(vscode.resultFile));
    if (verdict.status === Status.passed) return verdict;
    const evidence = await keepEvidence(page, [...consoleLines, vscode.server.log()]);
    return { ...verdict, message: `${verdict.message}; see ${evidence}` };
  } finally {
    await page.context().close();
  }
}

/** Opens the page and waits for one of the ways in which a run ends. `others` gets what isn't the tests' report. */
async function follow(
  page: Page,
  vscode: VsCode,
  options: HostRunOptions,
  others: string[],
): Promise<Ending> {
  const print = options.print ?? ((text: string) => console.log(text));
  let timer: NodeJS.Timeout | undefined;
  const ending = new Promise<Ending>((resolve, reject) => {
    timer = setTimeout(() => resolve({ kind: 'timeout', afterMs: options.timeout }), options.timeout);
    page.on('crash', () => resolve({ kind: 'crash' }));
    // These two names are VS Code's: a window that runs tests calls them.
    const log = (_kind: string, parts: unknown[]): void => {
      const text = format(...parts);
      if (text.startsWith(REPORT_MARK)) print(text.slice(REPORT_MARK.length));
      else others.push(text);
    };
    const exit = (code: number): void => resolve({ kind: 'exit', code });
    const url = pageUrl(vscode.server.origin, {
      extensionDevelopmentPath: options.extension,
      extensionTestsPath: options.tests,
      ...(options.folder ? { folder: options.folder } : {}),
    });
    page
      .exposeFunction('codeAutomationLog', log)
      .then(() => page.exposeFunction('codeAutomationExit', exit))
      .then(() => page.goto(url))
      .catch(reject);
  });
  return ending.finally(() => clearTimeout(timer));
}

/** A picture, and what page and server said. Returns where. */
async function keepEvidence(page: Page, log: string[]): Promise<string> {
  const directory = join(ROOT, 'test-results', 'host');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'console.log'), log.join('\n'));
  // A page that hangs or crashed may not be able to show itself.
  await page.screenshot({ path: join(directory, 'page.png'), timeout: 5000 }).catch(() => undefined);
  return directory;
}
