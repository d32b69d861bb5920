/** Berth's own command line, as the scripts use it. */
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { run } from './run.mjs';

const CLI = join(ROOT, 'dist', 'cli.js');

/**
 * @param {string[]} argv
 * @param {import('./run.mjs').RunOptions} [options]
 */
export const berth = (argv, options) => run(process.execPath, [CLI, ...argv], options);

/**
 * What a command prints with `--json`.
 * @param {string[]} argv
 * @param {import('./run.mjs').RunOptions} [options]
 * @returns {Promise<any>} undefined when the command failed
 */
export async function berthJson(argv, options) {
  const { code, stdout } = await berth([...argv, '--json'], { ...options, allowFailure: true });
  return code === 0 ? JSON.parse(stdout) : undefined;
}
