/** The one way scripts start a child process: an argv array, a time limit, its output kept for the error. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

const KEPT_OUTPUT = 4000;
const KILL_GRACE_MS = 4000;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends the programs that run; those that do not heed it are killed. */
export async function endAll() {
  const children = [...running];
  for (const child of children) child.kill('SIGTERM');
  const kill = setTimeout(() => children.forEach((child) => child.kill('SIGKILL')), KILL_GRACE_MS);
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
  clearTimeout(kill);
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [timeoutMs] default 120 s
 * @property {boolean} [show] pass the output through to the terminal instead of capturing it
 * @property {string} [log] a file that gets the output in place of the terminal or the answer: what the program leaves running can't hold it open
 * @property {boolean} [allowFailure] resolve also when the exit code isn't 0
 */

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} argv
 * @param {RunOptions} [options]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export function run(program, argv, options = {}) {
  const { cwd, env, timeoutMs = 120_000, show = false, log, allowFailure = false } = options;
  const command = [program, ...argv].join(' ');
  return new Promise((resolve, reject) => {
    const file = log === undefined ? undefined : openSync(log, 'w');
    const output = file ?? (show ? 'inherit' : 'pipe');
    const child = spawn(program, argv, { cwd, env: env ?? process.env, stdio: ['ignore', output, output] });
    if (file !== undefined) closeSync(file);
    running.add(child);
    child.once('exit', () => running.delete(child));
    let stdout = '';
    let stderr = '';
    let isTimedOut = false;
    child.stdout?.on('data', (chunk) => (stdout += chunk));
    child.stderr?.on('data', (chunk) => (stderr += chunk));
    const timer = setTimeout(() => {
      isTimedOut = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), KILL_GRACE_MS).unref();
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      running.delete(child);
      reject(new Error(`cannot run ${program}: ${error.message}`));
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      const code = exitCode ?? 128;
      if (!isTimedOut && (code === 0 || allowFailure)) return resolve({ code, stdout, stderr });
      const why = isTimedOut
        ? `took longer than ${timeoutMs / 1000} s`
        : `ended with ${signal ?? `exit code ${code}`}`;
      const tail = (stderr || stdout).slice(-KEPT_OUTPUT).trimEnd();
      reject(new Error(`${command} ${why}${tail ? `:\n${tail}` : ''}`));
    });
  });
}

/**
 * Whether a program can be found in PATH (or the sbin directories, which an ordinary user's PATH may lack).
 * @param {string} program
 * @returns {Promise<string | undefined>} its absolute path
 */
export async function which(program) {
  const { access, constants } = await import('node:fs/promises');
  const { delimiter, join } = await import('node:path');
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const names = process.platform === 'win32' ? [`${program}.exe`, `${program}.cmd`] : [program];
  for (const directory of directories.filter(Boolean)) {
    for (const name of names) {
      const path = join(directory, name);
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
  }
  return undefined;
}
