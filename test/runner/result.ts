/** What a run of tests leaves behind: a file, because an exit code of 0 also arrives when the process was killed. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface TestOutcome {
  title: string;
  state: 'passed' | 'failed' | 'skipped';
  /** Milliseconds. */
  duration: number;
  error?: string;
}

export interface TestResult {
  passed: number;
  failed: number;
  skipped: number;
  tests: TestOutcome[];
}

/** What the lines of the tests' report start with, to be told from all else that an extension host prints. */
export const REPORT_MARK = '[test]';

/** Where the tests are told to write their result. */
export const RESULT_VARIABLE = 'BERTH_TEST_RESULT';

export function summarize(tests: TestOutcome[]): TestResult {
  const count = (state: TestOutcome['state']): number => tests.filter((test) => test.state === state).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), tests };
}

/** Writes all of it or nothing. */
export async function writeResult(path: string, result: TestResult): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(result, null, 2)}\n`);
  await rename(temporary, path);
}

/** Undefined when there is no such file, or it isn't a result. */
export async function readResult(path: string): Promise<TestResult | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isResult(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isResult(value: unknown): value is TestResult {
  if (typeof value !== 'object' || value === null || !('tests' in value)) return false;
  const counts = ['passed', 'failed', 'skipped'] as const;
  return Array.isArray(value.tests) && counts.every((key) => Number.isInteger(Reflect.get(value, key)));
}
