/**
 * Whether the files below this folder are as Prettier writes them. oxfmt writes the same in a sixtieth of the time, but for a few
 * shapes: only what it would change is asked of Prettier, or all where it does not run.
 */
import { join } from 'node:path';
import { tool } from './lib/repository.mjs';
import { run } from './lib/run.mjs';

const cwd = process.cwd();
const timeoutMs = 1_200_000;
const config = join(cwd, '.prettierrc.json');

const list = [tool('oxfmt/bin/oxfmt'), '--config', config, '--list-different', '.'];
const { code, stdout } = await run(process.execPath, list, { cwd, timeoutMs, allowFailure: true });
const changed = stdout.split('\n').filter((line) => line !== '');
if (code !== 0) {
  const files = code === 1 && changed.length > 0 ? changed : ['.'];
  const check = [tool('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '--', ...files];
  process.exitCode = (
    await run(process.execPath, check, { cwd, timeoutMs, show: true, allowFailure: true })
  ).code;
}
