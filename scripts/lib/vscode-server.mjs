/** Runs VS Code's server (see vscode-host.mjs) with a profile of its own, and takes it down with all its children. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './root.mjs';
import { run } from './run.mjs';
import { sleep, waitFor } from './wait.mjs';

const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 4000;
const INSTALL_TIMEOUT_MS = 60_000;
const KEPT_LOG = 200_000;

/** Quiet: no welcome page, no network, no questions, no motion. */
export const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.reduceMotion': 'on',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'window.commandCenter': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'chat.disableAIFeatures': true,
  'git.enabled': false,
  'files.simpleDialog.enable': true,
  'explorer.confirmDragAndDrop': false,
  // Workspaces' ports are on this machine already.
  'remote.autoForwardPorts': false,
};

/** @typedef {import('./vscode-server.d.mts').ServerOptions} ServerOptions */

/**
 * Starts the server and waits until it answers.
 * @param {ServerOptions} options
 * @returns {Promise<import('./vscode-server.d.mts').VsCodeServer>}
 */
export async function startVsCodeServer(options) {
  const { host, directory, token, env, settings = QUIET_SETTINGS, extraFlags = [], vsix = [] } = options;
  await writeProfile(directory, settings, options.keepSettings ?? false);
  const profile = ['data', 'exts'].map((name) => join(directory, name));
  const flags = [
    '--user-data-dir',
    profile[0],
    '--server-data-dir',
    profile[0],
    '--extensions-dir',
    profile[1],
  ];
  const environment = cleanEnvironment(env);
  for (const extension of [vsix].flat()) {
    const install = [host.server, ...flags, '--install-extension', extension, '--force'];
    await run(host.node, install, { env: environment, timeoutMs: INSTALL_TIMEOUT_MS });
  }
  const access = token ? ['--connection-token', token] : ['--without-connection-token'];
  const fixed = ['--host', '127.0.0.1', '--port', String(options.port ?? 0), '--accept-server-license-terms'];
  const quiet = ['--telemetry-level', 'off', '--disable-experiments'];
  const argv = [host.server, ...flags, ...fixed, ...access, ...quiet, ...extraFlags];
  const child = spawn(host.node, argv, {
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return settle(child, token);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string | undefined} token
 */
async function settle(child, token) {
  let log = '';
  let ended = '';
  const keep = (/** @type {Buffer} */ chunk) => (log = (log + chunk.toString()).slice(-KEPT_LOG));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code, signal) => (ended ||= `it ended with ${signal ?? `exit code ${code}`}`));
  const exited = new Promise((resolve) => child.once('close', resolve));
  // The server has a process group of its own, which nobody else ends when this process is interrupted.
  const kill = () => signalGroup(child.pid, 'SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    await stopGroup(child, exited);
  };
  try {
    const answer = await waitFor("VS Code's server to answer", async () => ended || answeringPort(log), {
      timeoutMs: START_TIMEOUT_MS,
      explain: () => log,
    });
    if (ended) throw new Error(`VS Code's server did not start: ${ended}\n${log}`);
    const port = Number(answer);
    const origin = `http://127.0.0.1:${port}`;
    return {
      port,
      origin,
      url: `${origin}/${token ? `?tkn=${token}` : ''}`,
      pid: child.pid ?? 0,
      log: () => log,
      exited,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param {string} log */
async function answeringPort(log) {
  const port = /Extension host agent listening on (\d+)/.exec(log)?.[1];
  if (!port) return undefined;
  const response = await fetch(`http://127.0.0.1:${port}/version`, { signal: AbortSignal.timeout(2000) });
  return response.ok ? port : undefined;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {Promise<unknown>} exited
 */
async function stopGroup(child, exited) {
  signalGroup(child.pid, 'SIGTERM');
  await Promise.race([exited, sleep(STOP_GRACE_MS)]);
  // Also when the server itself is gone: an extension host may have stayed.
  signalGroup(child.pid, 'SIGKILL');
  await Promise.race([exited, sleep(STOP_GRACE_MS)]);
}

/** @param {number | undefined} pid @param {NodeJS.Signals} signal */
function signalGroup(pid, signal) {
  try {
    if (pid) process.kill(-pid, signal);
  } catch {
    // No such group: everything in it has ended.
  }
}

/** @param {string} directory @param {Record<string, unknown>} settings @param {boolean} isKept leaves settings that are there */
async function writeProfile(directory, settings, isKept) {
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  for (const scope of ['User', 'Machine']) {
    await mkdir(join(directory, 'data', scope), { recursive: true });
    const path = join(directory, 'data', scope, 'settings.json');
    if (!isKept || !(await exists(path))) await writeFile(path, text);
  }
  await mkdir(join(directory, 'exts'), { recursive: true });
}

/** Our environment without what an outer VS Code or npm put there. @param {Record<string, string>} extra */
function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|npm_|ELECTRON_)/i.test(name));
  return { ...Object.fromEntries(kept), DONT_PROMPT_WSL_INSTALL: '1', ...extra };
}
