/** The suites of `npm test`, each a process of its own that leaves a result file. */
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { tool } from './repository.mjs';
import { run } from './run.mjs';

const SUITE_TIMEOUT_MS = 1_800_000;
const RESULTS = join(ROOT, 'test-results');

/** Suites of compiled tests in out/test/<name>, in the order in which they run. */
export const SUITES = ['unit', 'runner', 'engine', 'host', 'ui', 'package'];

/** @typedef {{name: string, passed: number, failed: number, skipped: number, failures: string[], seconds?: number}} Outcome */

/**
 * Runs one suite, its report going to the terminal.
 * @param {string} name
 * @param {{grep?: string, env: NodeJS.ProcessEnv}} options
 * @returns {Promise<Outcome>}
 */
export async function runSuite(name, { grep, env }) {
  const directory = join(ROOT, 'out', 'test', name);
  const none = { name, passed: 0, failed: 0, skipped: 0, failures: [] };
  if (!(await hasTests(directory))) return none;
  const resultFile = join(RESULTS, `${name}.json`);
  await mkdir(RESULTS, { recursive: true });
  await rm(resultFile, { force: true });
  const options = { cwd: ROOT, show: true, allowFailure: true, timeoutMs: SUITE_TIMEOUT_MS };
  const { program, environment } =
    name === 'host' ? hostTests(resultFile, grep) : nodeTests(directory, resultFile, grep);
  let complaint = '';
  let code = 1;
  try {
    ({ code } = await run(process.execPath, program, { ...options, env: { ...env, ...environment } }));
  } catch (error) {
    complaint = error instanceof Error ? error.message : String(error);
  }
  const result = await readResult(resultFile);
  if (!result) return failed(none, complaint || `ended with ${code} and left no result`);
  const failures = result.tests.filter(({ state }) => state === 'failed').map(({ title }) => title);
  const outcome = { name, passed: result.passed, failed: result.failed, skipped: result.skipped, failures };
  // Whatever ends badly counts, also when each of its tests went well.
  return code !== 0 && result.failed === 0 ? failed(outcome, complaint || `ended with ${code}`) : outcome;
}

/** @param {Outcome} outcome @param {string} why @returns {Outcome} */
const failed = (outcome, why) => ({
  ...outcome,
  failed: outcome.failed + 1,
  failures: [...outcome.failures, `the suite ${outcome.name} ${why}`],
});

/** @param {string} directory */
async function hasTests(directory) {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  return names.some((name) => name.endsWith('.test.js'));
}

/** @param {string} directory @param {string} resultFile @param {string | undefined} grep */
function nodeTests(directory, resultFile, grep) {
  const options = ['--result', resultFile, ...(grep ? ['--grep', grep] : [])];
  return { program: [join(ROOT, 'out/test/runner/suite-cli.js'), directory, ...options], environment: {} };
}

/** @param {string} resultFile @param {string | undefined} grep */
function hostTests(resultFile, grep) {
  const environment = { BERTH_TEST_RESULT: resultFile, ...(grep ? { MOCHA_GREP: grep } : {}) };
  return { program: [join(ROOT, 'out/test/host/runTest.js')], environment };
}

/** @param {string} path */
async function readResult(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Each check of the sources counts as one test. */
export const CHECKS = {
  eslint: [tool('eslint/bin/eslint.js'), '.'],
  prettier: [tool('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
};

/** @param {string} name @param {string[]} program @returns {Promise<Outcome>} */
export async function runCheck(name, program) {
  const options = { cwd: ROOT, show: true, allowFailure: true, timeoutMs: SUITE_TIMEOUT_MS };
  const { code } = await run(process.execPath, program, options);
  return checkOutcome(name, code === 0);
}

/** @param {string} name @param {boolean} isGood @returns {Outcome} */
export const checkOutcome = (name, isGood) =>
  isGood
    ? { name, passed: 1, failed: 0, skipped: 0, failures: [] }
    : { name, passed: 0, failed: 1, skipped: 0, failures: [`${name} has complaints`] };
