/** Becoming root, and apt. */
import { access } from 'node:fs/promises';
import { run, which } from './run.mjs';

const APT_TIMEOUT_MS = 600_000;

/** Whether this machine installs its software with apt. */
export const hasApt = async () => process.platform === 'linux' && (await which('apt-get')) !== undefined;

/**
 * The argv prefix that makes a command run as root: empty for root, `sudo` for others.
 * @returns {Promise<string[] | undefined>} undefined when there is no way
 */
export async function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (!(await which('sudo'))) return undefined;
  if (process.stdin.isTTY) return ['sudo'];
  const { code } = await run('sudo', ['-n', 'true'], { allowFailure: true, timeoutMs: 5000 });
  return code === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * Runs a command as root.
 * @param {string[]} argv
 * @param {import('./run.mjs').RunOptions} [options]
 */
export async function runAsRoot(argv, options) {
  const prefix = await rootPrefix();
  if (!prefix) throw new Error(`this needs root, and there is no sudo: ${argv.join(' ')}`);
  const [program, ...rest] = [...prefix, ...argv];
  return run(program ?? '', rest, options);
}

/** One after another: apt waits for another one that installs, but fails beside one that fetches its lists. */
let installed = Promise.resolve();

/**
 * Installs Debian packages, after saying so.
 * @param {string} why one line for the reader
 * @param {string[]} packages
 * @param {(message: string) => void} say
 */
export function aptInstall(why, packages, say) {
  const work = installed.then(() => installNow(why, packages, say));
  installed = work.catch(() => undefined);
  return work;
}

/** @param {string} why @param {string[]} packages @param {(message: string) => void} say */
async function installNow(why, packages, say) {
  say(`installing with apt: ${packages.join(' ')} (${why})`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=400'];
  const install = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', ...options, ...packages];
  const first = await runAsRoot(install, { env, timeoutMs: APT_TIMEOUT_MS, allowFailure: true });
  if (first.code === 0) return;
  // A fresh image carries no package lists, or stale ones.
  await runAsRoot(['apt-get', 'update', '-q'], { env, timeoutMs: APT_TIMEOUT_MS, allowFailure: true });
  await runAsRoot(install, { env, timeoutMs: APT_TIMEOUT_MS });
}

/**
 * Installs what of these is missing; where there is no apt, says what is missing and goes on.
 * @param {string} why
 * @param {Record<string, string>} packages the Debian packages of each program, with a blank between them
 * @param {(message: string) => void} say
 */
export async function ensurePrograms(why, packages, say) {
  const missing = [];
  for (const program of Object.keys(packages)) if (!(await which(program))) missing.push(program);
  if (missing.length === 0) return;
  const needed = missing.flatMap((name) => (packages[name] ?? name).split(' '));
  if (await hasApt()) await aptInstall(why, [...new Set(needed)], say);
  else say(`missing: ${missing.join(', ')} (${why})`);
}

/** @param {string} path */
export const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );
