/** Runs mocha over the compiled tests of directories; the same inside VS Code's extension host and in plain Node. */
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isatty } from 'node:tty';
import { format } from 'node:util';
import type { Runnable, Test } from 'mocha';
import { summarize, writeResult, type TestOutcome, type TestResult } from './result';

export interface SuiteOptions {
  /** Where `*.test.js` are looked for, at any depth. A directory that doesn't exist holds no tests. */
  directories: readonly string[];
  /** A directory of these that is left out. */
  except?: string;
  resultFile?: string;
  /** Only tests whose full title matches. Default: the environment variable MOCHA_GREP. */
  grep?: string;
  /** End with the first failure. */
  bail?: boolean;
  /** Milliseconds for one test. */
  timeout?: number;
  /** Where the report goes, in place of the console. */
  print?: (text: string) => void;
}

const DEFAULT_TIMEOUT = 20_000;

export async function runSuite(options: SuiteOptions): Promise<TestResult> {
  // Mocha 12 is an ES module.
  const { default: Mocha } = await import('mocha');
  const grep = options.grep ?? process.env.MOCHA_GREP;
  const { print } = options;
  if (print) Mocha.reporters.Base.consoleLog = (...parts: unknown[]) => print(format(...parts));
  const mocha = new Mocha({
    ui: 'bdd',
    reporter: 'spec',
    timeout: options.timeout ?? DEFAULT_TIMEOUT,
    ...(grep ? { grep } : {}),
    ...(options.bail ? { bail: true } : {}),
  });
  // Also when a variable (CI) asks for colours: in a file or a log they are noise.
  Mocha.reporters.Base.useColors = isatty(1);
  const found = await Promise.all(options.directories.map((directory) => testFiles(directory)));
  const { except } = options;
  for (const file of found.flat())
    if (except === undefined || !file.startsWith(join(except, sep))) mocha.addFile(file);
  await mocha.loadFilesAsync();
  const tests: TestOutcome[] = [];
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on('pass', (test) => tests.push(outcome(test, 'passed')));
    runner.on('pending', (test) => tests.push(outcome(test, 'skipped')));
    runner.on('fail', (test, error: unknown) => tests.push(outcome(test, 'failed', error)));
  });
  const result = summarize(tests);
  if (options.resultFile) await writeResult(options.resultFile, result);
  return result;
}

async function testFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(directory, name));
}

/** A failing hook counts as a failed test. */
function outcome(test: Test | Runnable, state: TestOutcome['state'], error?: unknown): TestOutcome {
  const base = { title: test.fullTitle(), state, duration: test.duration ?? 0 };
  return state === 'failed' ? { ...base, error: wordsOf(error) } : base;
}

const wordsOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
