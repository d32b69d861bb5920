/** Opens VS Code with the extension: the one on this machine, else the one in the browser. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { packageVsix } from './package.mjs';
import { ROOT } from './paths.mjs';
import { which } from './run.mjs';
import { ensureVsCodeHost } from './vscode-host.mjs';
import { startVsCodeServer } from './vscode-server.mjs';

const EDITORS = ['code', 'codium', 'cursor'];
/** The profile of the VS Code in the browser: kept from one start to the next. */
const PROFILE = join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'berth', 'vscode');

const FIRST_SETTINGS = {
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  // Workspaces' ports are on this machine already.
  'remote.autoForwardPorts': false,
};

/**
 * @param {{platform: NodeJS.Platform, uid: number | undefined}} [user]
 * @returns {Promise<string | undefined>} a desktop editor; none for root (VS Code refuses) and without a screen
 */
export async function findEditor(user = { platform: process.platform, uid: process.getuid?.() }) {
  const hasScreen = user.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  if (!hasScreen || user.uid === 0) return undefined;
  for (const name of EDITORS) {
    const path = await which(name);
    if (path) return path;
  }
  return undefined;
}

/** Opens a window in which the extension runs from this repository; nothing gets installed. @param {string} editor */
export async function openEditor(editor) {
  // Not there before the npm packages are.
  const { default: spawn } = await import('cross-spawn');
  const options = ['--new-window', `--extensionDevelopmentPath=${ROOT}`];
  const child = spawn(editor, options, { detached: true, stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('spawn', () => resolve(child.unref()));
  });
}

/**
 * Starts VS Code's server with the extension installed, for a browser on this machine.
 * @param {string} build a hash of the extension's sources
 * @param {(message: string) => void} say
 */
export async function startInBrowser(build, say) {
  const host = await ensureVsCodeHost(say);
  await mkdir(PROFILE, { recursive: true, mode: 0o700 });
  const stamp = join(PROFILE, 'extension-build');
  const isCurrent = (await readFile(stamp, 'utf8').catch(() => '')) === build;
  const server = await startVsCodeServer({
    host,
    directory: PROFILE,
    // Whoever can open the page can run anything as this user.
    token: randomBytes(16).toString('hex'),
    settings: FIRST_SETTINGS,
    keepSettings: true,
    ...(isCurrent ? {} : { vsix: await packageVsix() }),
  });
  await writeFile(stamp, build);
  return server;
}
