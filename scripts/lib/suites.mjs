/** The suites of `npm test`, each a process of its own that leaves a result file. */
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ROOT } from './paths.mjs';
import { isRoot, withOrdinaryUser } from './ordinary-user.mjs';
import { tool } from './repository.mjs';
import { run } from './run.mjs';

/** Who runs all suites gives them 90 minutes: what is still running shortly before that end is ended here, and named. */
const RUN_TIMEOUT_MS = 5_160_000;
const timeLeftMs = () => Math.max(60_000, RUN_TIMEOUT_MS - process.uptime() * 1000);
const RESULTS = join(ROOT, 'test-results');

/** Suites of compiled tests in out/test/<name>. */
export const SUITES = ['unit', 'runner', 'engine', 'microvm', 'host', 'ui', 'package', 'ordinary'];

/** No two suites try the same ports at the same time. The system gives out those above 32,767. @param {string} name */
function portsOf(name) {
  const size = 1_400;
  const first = 21_000 + SUITES.indexOf(name) * size;
  return { BERTH_TEST_PORTS: `${first}-${first + size - 1}` };
}

/** Another umask, locale and path than those that the code is written under: test/support/conditions.ts. */
const odd = { BERTH_TEST_CONDITIONS: process.env.BERTH_TEST_CONDITIONS ?? 'odd' };

/**
 * Where a suite's tests are when not in one folder of its name. Those of behaviour run for both kinds of runtimes.
 * `ordinary` is what differs for who is not root, and part of `unit` for everybody else.
 * @type {Record<string, {folders: string[], except?: string, environment?: Record<string, string>, isOrdinary?: boolean}>}
 */
const PLACES = {
  // Who clicks beside it comes first.
  unit: { folders: ['unit'], environment: { ...odd, BERTH_TEST_NICE: '5' } },
  ordinary: {
    folders: [
      ...['drivers/microvms/disks', 'drivers/microvms/qemu', 'drivers/microvms/virtiofs', 'files/agent'],
      ...['files/local', 'inside', 'machine', 'services/transfers'],
    ].map((name) => `unit/backend/${name}`),
    environment: odd,
    isOrdinary: true,
  },
  engine: {
    folders: ['engine'],
    except: 'engine/drivers/microvms',
    environment: odd,
  },
  microvm: {
    folders: [
      'engine/drivers/microvms',
      ...['create', 'engine-process', 'faults', 'files', 'lifecycle', 'ssh'].map((name) => `engine/${name}`),
    ],
    environment: { BERTH_TEST_RUNTIME: 'microvm', ...odd },
  },
};

/** @typedef {{name: string, passed: number, failed: number, skipped: number, failures: string[], seconds?: number}} Outcome */

const placeOf = (/** @type {string} */ name) => PLACES[name] ?? { folders: [name] };

/** Where the output of a suite goes that runs beside others. @param {string} name */
export const logOf = (name) => join(RESULTS, `${name}.log`);

/** @param {string} name @param {boolean} isHeard */
async function outputOptions(name, isHeard) {
  await mkdir(RESULTS, { recursive: true });
  return { cwd: ROOT, ...(isHeard ? { show: true } : { log: logOf(name) }), allowFailure: true };
}

/**
 * Runs one suite, its report going to the terminal, or to its log when it is not to be heard.
 * @param {string} name
 * @param {{grep?: string, isHeard: boolean, env: NodeJS.ProcessEnv}} options
 * @returns {Promise<Outcome>}
 */
export async function runSuite(name, { grep, isHeard, env }) {
  const place = placeOf(name);
  const none = noneOf(name);
  if (!(await hasTests(place.folders))) return none;
  const isOther = isRoot() && (place.isOrdinary === true || env.BERTH_TEST_USER === 'ordinary');
  // Who is nobody else runs these tests in `unit`.
  if (place.isOrdinary === true && !isOther) return none;
  const how = { name, grep, isHeard, env };
  const { code, complaint, result } = isOther
    ? await withOrdinaryUser(({ wrap, folder, environment }) =>
        runTests({ ...how, resultFile: join(folder, 'result.json'), wrap, env: { ...env, ...environment } }),
      )
    : await runTests({ ...how, resultFile: join(RESULTS, `${name}.json`), wrap: (argv) => argv });
  if (!result) return failed(none, complaint || `ended with ${code} and left no result`);
  const failures = result.tests.filter(({ state }) => state === 'failed').map(titleAndReason);
  const { passed, failed: failedCount, skipped } = result;
  const outcome = { name, passed, failed: failedCount, skipped, failures };
  // Whatever ends badly counts, also when each of its tests went well.
  return code !== 0 && result.failed === 0 ? failed(outcome, complaint || `ended with ${code}`) : outcome;
}

/**
 * @param {{name: string, grep: string | undefined, isHeard: boolean, env: NodeJS.ProcessEnv, resultFile: string,
 *   wrap: (argv: string[]) => string[]}} how
 */
async function runTests({ name, grep, isHeard, env, resultFile, wrap }) {
  await rm(resultFile, { force: true });
  const { program, environment } =
    name === 'host' ? hostTests(resultFile, grep) : nodeTests(placeOf(name), resultFile, grep);
  const [first = '', ...argv] = wrap([process.execPath, ...program]);
  let complaint = '';
  let code = 1;
  try {
    ({ code } = await run(first, argv, {
      ...(await outputOptions(name, isHeard)),
      timeoutMs: timeLeftMs(),
      env: { ...env, ...(await withInterpreter(env)), ...portsOf(name), ...environment },
    }));
  } catch (error) {
    complaint = error instanceof Error ? error.message : String(error);
  }
  return { code, complaint, result: await readResult(resultFile) };
}

/**
 * The `python3` of PATH may be a script that looks for the interpreter, which takes most of the time of the tests' many small
 * programs: that comes first.
 * @param {NodeJS.ProcessEnv} env
 */
async function withInterpreter(env) {
  const argv = ['-I', '-S', '-c', 'import os, sys; sys.stdout.write(os.path.dirname(sys.executable))'];
  const { code, stdout } = await run('python3', argv, { allowFailure: true, env }).catch(() => notThere);
  const { PATH = '' } = env;
  return code === 0 && stdout !== '' && !PATH.split(delimiter).includes(stdout)
    ? { PATH: [stdout, PATH].join(delimiter) }
    : {};
}

const notThere = { code: 1, stdout: '' };

/** What the sum says of a failure: what is above it may be long gone from a log that is cut. */
function titleAndReason(/** @type {{title: string, error?: string}} */ each) {
  const { title, error = '' } = each;
  const reason = error
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 6)
    .map((line) => `    ${line.slice(0, 300)}`);
  return [title, ...reason].join('\n');
}

/** @param {string} name @returns {Outcome} */
const noneOf = (name) => ({ name, passed: 0, failed: 0, skipped: 0, failures: [] });

/** @param {Outcome} outcome @param {string} why @returns {Outcome} */
const failed = (outcome, why) => ({
  ...outcome,
  failed: outcome.failed + 1,
  failures: [...outcome.failures, `the suite ${outcome.name} ${why}`],
});

const compiled = (/** @type {string} */ folder) => join(ROOT, 'out', 'test', folder);

/** @param {string[]} folders */
async function hasTests(folders) {
  const lists = await Promise.all(
    folders.map((folder) => readdir(compiled(folder), { recursive: true }).catch(() => [])),
  );
  return lists.flat().some((name) => name.endsWith('.test.js'));
}

/** @param {typeof PLACES[string]} place @param {string} resultFile @param {string | undefined} grep */
function nodeTests({ folders, except, environment = {} }, resultFile, grep) {
  const left = except ? ['--except', compiled(except)] : [];
  const options = [...left, '--result', resultFile, ...(grep ? ['--grep', grep] : [])];
  const cli = join(ROOT, 'out/test/runner/suite-cli.js');
  return { program: [cli, ...folders.map(compiled), ...options], environment };
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

/** @param {string} name @param {unknown} error why what it needs could not be set up @returns {Outcome} */
export function notRun(name, error) {
  return failed(noneOf(name), `did not run: ${error instanceof Error ? error.message : error}`);
}

/** Each check of the sources counts as one test. */
export const CHECKS = {
  oxlint: [tool('oxlint/bin/oxlint'), '--config', 'oxlint.config.mjs'],
  prettier: [join(ROOT, 'scripts/check-format.mjs')],
};

/** @param {string} name @param {string[]} program @param {boolean} isHeard @returns {Promise<Outcome>} */
export async function runCheck(name, program, isHeard) {
  const options = { ...(await outputOptions(name, isHeard)), timeoutMs: timeLeftMs() };
  const { code } = await run(process.execPath, program, options);
  return checkOutcome(name, code === 0);
}

/** @param {string} name @param {boolean} isGood @returns {Outcome} */
export const checkOutcome = (name, isGood) =>
  isGood
    ? { name, passed: 1, failed: 0, skipped: 0, failures: [] }
    : { name, passed: 0, failed: 1, skipped: 0, failures: [`${name} has complaints`] };
