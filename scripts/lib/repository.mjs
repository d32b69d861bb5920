/** Brings this repository into a state in which it runs: dependencies, bundles, compiled tests. Skips what is done. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { withLock } from './lock.mjs';
import { ROOT } from './paths.mjs';
import { exists } from './root.mjs';
import { run } from './run.mjs';

const NPM_TIMEOUT_MS = 600_000;
/** Half a minute on an idle machine. It ends what hangs: a machine that is busy with other work must not come near it. */
const BUILD_TIMEOUT_MS = 1_200_000;
const LOCAL_CACHE = join(ROOT, '.cache');
const BUNDLES = ['extension', 'engine', 'engine-main', 'cli'].map((name) => join(ROOT, 'dist', `${name}.js`));
const BUILD_INPUTS = ['src', 'package.json', 'package-lock.json', 'tsconfig.json', 'webpack.config.js'];

/** @param {string} name a file in a package of node_modules */
export const tool = (name) => join(ROOT, 'node_modules', name);

/**
 * Installs the npm packages that package-lock.json names, unless they are there.
 * @param {(message: string) => void} say
 */
export async function ensureDependencies(say) {
  const stamp = tool('.berth-stamp');
  const lock = await readFile(join(ROOT, 'package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(lock).digest('hex');
  if ((await readText(stamp)) === hash) return;
  if (!(await isInstalled(lock))) {
    say(`installing npm packages into ${relative('', tool('')) || tool('')} (npm ci --ignore-scripts)`);
    await run('npm', ['ci', '--ignore-scripts'], { cwd: ROOT, timeoutMs: NPM_TIMEOUT_MS });
  }
  await writeFile(stamp, hash);
}

/** Whether npm's own record of node_modules agrees with the lock file: somebody ran npm by hand. @param {string} lock */
async function isInstalled(lock) {
  const record = await readText(tool('.package-lock.json'));
  if (!record) return false;
  const installed = JSON.parse(record).packages;
  return Object.entries(JSON.parse(lock).packages)
    .filter(([path, wanted]) => path !== '' && !wanted.optional)
    .every(([path, wanted]) => installed[path]?.version === wanted.version);
}

/**
 * Builds the bundles, unless those that are there were made from the sources as they are.
 * @param {(message: string) => void} say
 * @param {'production' | 'any'} mode `any` takes what is there, and builds for development: four times as fast
 * @returns {Promise<{hash: string, isNew: boolean}>} a hash of the sources, and whether anything was built
 */
export async function ensureBuild(say, mode) {
  const stamp = join(LOCAL_CACHE, 'build-stamp');
  return withLock(join(LOCAL_CACHE, 'build.lock'), { timeoutMs: BUILD_TIMEOUT_MS }, async () => {
    const hash = await hashOf(BUILD_INPUTS);
    const areThere = (await Promise.all(BUNDLES.map(exists))).every(Boolean);
    const built = areThere ? await readText(stamp) : '';
    const accepted = mode === 'any' ? ['production', 'development'] : ['production'];
    for (const each of accepted) {
      if (areThere && built === (await stampText(hash, each))) return { hash, isNew: false };
    }
    say('building extension, engine and command line (webpack)');
    await rm(join(ROOT, 'dist'), { recursive: true, force: true });
    const webpack = tool('webpack/bin/webpack.js');
    const webpackMode = mode === 'any' ? 'development' : 'production';
    await run(process.execPath, [webpack, '--mode', webpackMode], { cwd: ROOT, timeoutMs: BUILD_TIMEOUT_MS });
    await writeFile(stamp, await stampText(hash, webpackMode));
    return { hash, isNew: true };
  });
}

/** Ties the stamp to these very bundles: somebody may have built others by hand. @param {string} hash @param {string} mode */
async function stampText(hash, mode) {
  const states = await Promise.all(BUNDLES.map((path) => stat(path)));
  return JSON.stringify([hash, mode, ...states.map(({ mtimeMs, size }) => [mtimeMs, size])]);
}

/**
 * Compiles sources and tests into out/, and removes what has no source any more: a stale test would go on passing.
 * By TypeScript 7, which has no API yet: tests that read sources have the one before it.
 * @returns {Promise<string>} the compiler's complaints; empty when there are none
 */
export async function compile() {
  await removeStale(join(ROOT, 'out'));
  const tsc = tool('typescript-compiler/bin/tsc');
  const options = { cwd: ROOT, timeoutMs: BUILD_TIMEOUT_MS, allowFailure: true };
  const { code, stdout, stderr } = await run(process.execPath, [tsc, '-p', 'tsconfig.json'], options);
  return code === 0 ? '' : `${stdout}${stderr}` || `tsc ended with ${code}`;
}

/** @param {string} out */
async function removeStale(out) {
  const files = (await readdir(out, { recursive: true }).catch(() => [])).filter((name) =>
    /\.js(\.map)?$/.test(name),
  );
  for (const name of files) {
    const source = join(ROOT, name.replace(/\.js(\.map)?$/, '.ts'));
    if (!(await exists(source))) await rm(join(out, name));
  }
}

/** @param {string[]} inputs files and directories, relative to the repository */
export async function hashOf(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const path = join(ROOT, input);
    const isDirectory = (await stat(path)).isDirectory();
    const names = isDirectory ? (await readdir(path, { recursive: true })).sort() : [''];
    for (const name of names) {
      const file = join(path, name);
      if ((await stat(file)).isFile()) hash.update(`${input}/${name}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

/** @param {string} path */
async function readText(path) {
  await mkdir(LOCAL_CACHE, { recursive: true });
  return readFile(path, 'utf8').catch(() => '');
}
