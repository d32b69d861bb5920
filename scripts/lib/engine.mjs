/** Berth's engine, its images and the workspace `demo`, through the command line that a user would type. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { berth, berthJson } from './berth.mjs';
import { ROOT } from './paths.mjs';
import { aptInstall, hasApt } from './root.mjs';
import { run, which } from './run.mjs';

const BUILD_TIMEOUT_MS = 900_000;
const CREATE_TIMEOUT_MS = 180_000;
export const DEMO = 'demo';

/**
 * Starts the engine; one that runs from older bundles makes way first. Workspaces go on running meanwhile.
 * @param {boolean} isNewBuild
 */
export async function ensureEngine(isNewBuild) {
  if (isNewBuild) await berth(['down'], { allowFailure: true });
  await berth(['up']);
}

/** @param {(message: string) => void} say @param {NodeJS.ProcessEnv} [env] names the engine that builds them */
export async function ensureImages(say, env) {
  const tools = (await readFile(join(ROOT, 'images/tools/VERSION'), 'utf8')).trim();
  const wanted = ['workspace:latest', `berth-tools:${tools}`];
  const images = (await berthJson(['image', 'list'], env && { env })) ?? [];
  const tags = new Set(images.flatMap((/** @type {{tags: string[]}} */ image) => image.tags));
  const missing = wanted.filter((tag) => !tags.has(tag) && !tags.has(`localhost/${tag}`));
  if (missing.length === 0) return;
  const options = { timeoutMs: BUILD_TIMEOUT_MS, ...(env && { env }) };
  say(`building ${missing.join(' and ')} (about a minute and a half without a registry)`);
  try {
    await berth(['image', 'build'], options);
  } catch (error) {
    // Without a registry the base image is made from Debian packages.
    if (!(await hasApt()) || (await which('mmdebstrap'))) throw error;
    await aptInstall('no image registry answers', ['mmdebstrap'], say);
    await berth(['image', 'build'], options);
  }
}

/** What microVMs boot with, unless it is there. @param {NodeJS.ProcessEnv} env names the engine that makes it */
export const ensureGuestKit = (env) =>
  berth(['image', 'build', '--engine', 'microvm', '--tools-only'], { timeoutMs: BUILD_TIMEOUT_MS, env });

/**
 * Creates the workspace with a few files in it unless there is one, and starts it.
 * @param {(message: string) => void} say
 */
export async function ensureDemo(say) {
  const sample = join(ROOT, 'images', 'sample');
  const options = { timeoutMs: CREATE_TIMEOUT_MS };
  if (await berthJson(['info', DEMO])) {
    await berth(['start', DEMO], options);
    return;
  }
  say(`creating the workspace ${DEMO}`);
  await berth(['create', DEMO], options);
  const files = ['README.md', 'hello.py', 'notes'].map((name) => join(sample, name));
  await berth(['cp', '--skip', ...files, `${DEMO}:`], options);
}

/** Logs in with OpenSSH, key only, host key checked. */
export const checkSsh = () => ssh('true');

/** Writes a file through the API and reads it over SSH. */
export async function checkFile() {
  const directory = await mkdtemp(join(tmpdir(), 'berth-check-'));
  const name = `.berth-check-${process.pid}`;
  const content = `written ${new Date().toISOString()}\n`;
  try {
    await writeFile(join(directory, name), content);
    await berth(['cp', join(directory, name), `${DEMO}:`]);
    const { stdout } = await ssh('cat', name);
    if (stdout !== content)
      throw new Error(`wrote ${JSON.stringify(content)}, read ${JSON.stringify(stdout)} over SSH`);
  } finally {
    await rm(directory, { recursive: true, force: true });
    await ssh('rm', '-f', name).catch(() => undefined);
  }
}

/** @param {string[]} command */
function ssh(...command) {
  const config = join(process.env.BERTH_HOME || join(homedir(), '.berth'), 'ssh', 'config');
  const options = ['-F', config, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10'];
  return run('ssh', [...options, `berth-${DEMO}`, '--', ...command], { timeoutMs: 30_000 });
}
