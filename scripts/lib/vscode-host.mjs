/**
 * A real VS Code for tests and for `npm start` where no desktop one is installed: the VS Code server that the npm
 * package code-server carries, run by a Node of the version it wants, looked at with Chromium.
 */
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { CACHE } from './paths.mjs';
import { aptInstall, exists, hasApt } from './root.mjs';
import { run, which } from './run.mjs';

/** code-server 4.N.P carries VS Code 1.N.P. */
const CODE_SERVER = '4.139.1';
const NODE = '24.21.0';
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;
const NPM_TIMEOUT_MS = 300_000;
const HOST_DIRECTORY = join(CACHE, `vscode-host-${CODE_SERVER}`);
const LOG_WRITER = fileURLToPath(new URL('spdlog.js', import.meta.url));
const CHROMIUM_PACKAGES = ['chromium', 'fonts-dejavu-core', 'fonts-liberation'];

/**
 * @typedef {object} VsCodeHost
 * @property {string} node a Node that can run the server
 * @property {string} server the server's main script
 */

/** @param {string} directory @returns {VsCodeHost} */
const hostIn = (directory) => ({
  node: join(directory, 'node_modules', NODE_PACKAGE, 'bin', 'node'),
  server: join(directory, 'node_modules/code-server/lib/vscode/out/server-main.js'),
});

/**
 * Installs the server in the cache directory unless it is there.
 * @param {(message: string) => void} say
 * @returns {Promise<VsCodeHost>}
 */
export async function ensureVsCodeHost(say) {
  const host = hostIn(HOST_DIRECTORY);
  if (await exists(host.server)) {
    await placeLogWriter(HOST_DIRECTORY);
    return host;
  }
  await withLock(`${HOST_DIRECTORY}.lock`, { timeoutMs: 2 * NPM_TIMEOUT_MS }, async () => {
    if (await exists(host.server)) return;
    say(
      `downloading VS Code's server into ${HOST_DIRECTORY} (npm: code-server ${CODE_SERVER}, ${NODE_PACKAGE} ${NODE}; 780 MB)`,
    );
    await rm(HOST_DIRECTORY, { recursive: true, force: true });
    const temporary = await mkdtemp(`${HOST_DIRECTORY}-`);
    try {
      await install(temporary);
      await rename(temporary, HOST_DIRECTORY);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
  return host;
}

/** @param {string} directory */
async function install(directory) {
  await writeFile(join(directory, 'package.json'), '{"private":true}\n');
  // Scripts are skipped because they would compile native modules that a prebuilt one stands in for, or nobody needs.
  const npm = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const packages = [`code-server@${CODE_SERVER}`, `${NODE_PACKAGE}@${NODE}`];
  await run('npm', ['install', ...npm, ...packages], { cwd: directory, timeoutMs: NPM_TIMEOUT_MS });
  const vscode = join(directory, 'node_modules/code-server/lib/vscode');
  await run('npm', ['install', '--omit=dev', ...npm], { cwd: vscode, timeoutMs: NPM_TIMEOUT_MS });
  await linkHelpers(join(vscode, 'bin'));
  await placeLogWriter(directory);
  const { node, server } = hostIn(directory);
  await run(node, [server, '--version'], { timeoutMs: 30_000 });
}

/** Also into a server that an earlier version of this script has installed. @param {string} directory */
async function placeLogWriter(directory) {
  const path = join(directory, 'node_modules/code-server/lib/vscode/node_modules/@vscode/spdlog/index.js');
  if (await readFile(path).then(async (there) => there.equals(await readFile(LOG_WRITER)))) return;
  const temporary = await mkdtemp(join(directory, 'spdlog-'));
  await copyFile(LOG_WRITER, join(temporary, 'index.js'));
  // Others may be starting a server right now.
  await rename(join(temporary, 'index.js'), path);
  await rm(temporary, { recursive: true });
}

/** What code-server's skipped postinstall would do. @param {string} bin */
async function linkHelpers(bin) {
  const os = process.platform === 'darwin' ? 'darwin' : 'linux';
  const links = { 'remote-cli/code-server': `code-${os}.sh`, 'helpers/browser.sh': `browser-${os}.sh` };
  for (const [link, target] of Object.entries(links)) {
    const path = join(bin, link);
    await rm(path, { force: true });
    await symlink(target, path);
    await chmod(path, 0o755);
  }
}

/**
 * A Chromium for playwright: BERTH_CHROMIUM, else one that is installed, else Debian's.
 * @param {(message: string) => void} say
 * @returns {Promise<string>} its path
 */
export async function ensureChromium(say) {
  const installed = process.env.BERTH_CHROMIUM ?? (await findChromium());
  if (installed) return installed;
  if (!(await hasApt()))
    throw new Error('no Chromium or Chrome found: install one, or name it in BERTH_CHROMIUM');
  await mkdir(CACHE, { recursive: true });
  await withLock(join(CACHE, 'chromium.lock'), { timeoutMs: NPM_TIMEOUT_MS }, async () => {
    if (!(await findChromium()))
      await aptInstall('the browser of the user interface tests', CHROMIUM_PACKAGES, say);
  });
  const path = await findChromium();
  if (!path) throw new Error('chromium was installed, but is not in PATH');
  return path;
}

async function findChromium() {
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  if (process.platform === 'darwin' && (await exists(mac))) return mac;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const path = await which(name);
    if (path) return path;
  }
  return undefined;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const say = (/** @type {string} */ message) => console.error(message);
  const host = await ensureVsCodeHost(say);
  console.log(JSON.stringify({ ...host, chromium: await ensureChromium(say) }, null, 2));
}
