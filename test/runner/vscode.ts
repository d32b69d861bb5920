/** A fresh VS Code: server, profile and home of its own, gone without a trace afterwards. */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { VsCodeServer } from '../../scripts/lib/vscode-server.mjs' with { 'resolution-mode': 'import' };
import { RESULT_VARIABLE } from './result';
import { ROOT, findHost, vsCodeServer } from './setup';

export interface VsCodeOptions {
  /** Added to ours; reaches the extension. HOME is a fresh directory unless named here. */
  env?: Record<string, string>;
  /** Extensions to install. */
  vsix?: string | string[];
  settings?: Record<string, unknown>;
  /** The language of the window; VS Code's own texts stay English without a language pack. */
  locale?: string;
  /** Ask whether the window's folder is trusted, as VS Code does by default. Default: trusted without a question. */
  asksForTrust?: boolean;
  /**
   * Without it a built workbench ignores the extension and the tests that the page's address names. With it VS Code
   * shows no toasts, and an installed extension doesn't need it.
   */
  smokeTestDriver?: boolean;
}

export interface VsCode {
  server: VsCodeServer;
  chromium: string;
  /** Removed by `stop`. */
  directory: string;
  home: string;
  /** Where tests in the extension host write their result: what our own environment says, if it does. */
  resultFile: string;
  stop(): Promise<void>;
}

/** Set to keep the directory of a run, to look into it. */
const KEEP_VARIABLE = 'BERTH_TEST_KEEP';
const ENGINE_STOP_TIMEOUT = 20_000;

export async function startVsCode(options: VsCodeOptions = {}): Promise<VsCode> {
  const host = await findHost();
  const { startVsCodeServer, QUIET_SETTINGS } = await vsCodeServer();
  // Short, because a socket's path has room for 107 characters.
  const directory = await mkdtemp(join(tmpdir(), 'berth-'));
  const home = options.env?.HOME ?? join(directory, 'home');
  const resultFile = process.env[RESULT_VARIABLE] ?? join(directory, 'result.json');
  // VS Code leaves its sockets behind where TMPDIR says.
  const temporary = join(directory, 'tmp');
  const own = {
    TMPDIR: temporary,
    HOME: home,
    BERTH_HOME: join(home, '.berth'),
    // What a test deletes is gone; tests of the trash say otherwise.
    BERTH_TRASH_DAYS: '0',
    [RESULT_VARIABLE]: resultFile,
  };
  const env = { ...withoutUserDirectories(), ...own, ...options.env };
  const removeDirectory = async (): Promise<void> => {
    if (process.env[KEEP_VARIABLE]) console.error(`kept ${directory}`);
    else await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await mkdir(home, { recursive: true });
    await mkdir(temporary);
    const server = await startVsCodeServer({
      host,
      directory,
      env,
      settings: { ...QUIET_SETTINGS, ...options.settings },
      extraFlags: [
        ...(options.asksForTrust ? [] : ['--disable-workspace-trust']),
        ...(options.locale ? ['--locale', options.locale] : []),
        ...(options.smokeTestDriver ? ['--enable-smoke-test-driver'] : []),
      ],
      ...(options.vsix ? { vsix: options.vsix } : {}),
    });
    const stop = async (): Promise<void> => {
      await server.stop();
      await stopEngine(env);
      await removeDirectory();
    };
    return { server, chromium: host.chromium, directory, home, resultFile, stop };
  } catch (error) {
    await removeDirectory();
    throw error;
  }
}

/** The user's own configuration, caches and state are no business of a test. */
function withoutUserDirectories(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => /^XDG_(CONFIG|DATA|STATE|CACHE)_HOME$/.test(name));
  return Object.fromEntries(names.map((name) => [name, '']));
}

/** The engine is a process of its own, and outlives the window that started it. */
async function stopEngine(env: Record<string, string>): Promise<void> {
  const socket = join(env.BERTH_HOME ?? '', 'engine.sock');
  const isRunning = await access(socket).then(
    () => true,
    () => false,
  );
  if (!isRunning) return;
  await promisify(execFile)(process.execPath, [join(ROOT, 'dist/cli.js'), 'down'], {
    env: { ...process.env, ...env },
    timeout: ENGINE_STOP_TIMEOUT,
  }).catch((error: unknown) => console.error(`the engine could not be stopped: ${String(error)}`));
}
