/**
 * Stands in for the executable of a desktop VS Code, for `runTests` of @vscode/test-electron: takes the options that
 * matter from its command line, ignores the others, and exits with a status of statuses.ts.
 */
import { resolve } from 'node:path';
import { runInVsCode, type HostRunOptions } from './host-run';
import { Status } from './statuses';

const DEFAULT_TIMEOUT = 300_000;
/** Milliseconds for the whole run, where a suite needs another limit. */
const TIMEOUT_VARIABLE = 'BERTH_TEST_TIMEOUT';

/** Of VS Code's command line: two options with `=`, and the one argument that isn't an option is the folder. */
export function parseCommandLine(argv: string[]): HostRunOptions {
  const option = (name: string): string | undefined =>
    argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
  const extension = option('extensionDevelopmentPath');
  const tests = option('extensionTestsPath');
  if (!extension || !tests) throw new Error('need --extensionDevelopmentPath= and --extensionTestsPath=');
  const folder = argv.find((argument) => !argument.startsWith('-'));
  const timeout = Number(process.env[TIMEOUT_VARIABLE]) || DEFAULT_TIMEOUT;
  const paths = { extension: resolve(extension), tests: resolve(tests) };
  return { ...paths, timeout, ...(folder ? { folder: resolve(folder) } : {}) };
}

export async function main(argv: string[]): Promise<Status> {
  try {
    const verdict = await runInVsCode(parseCommandLine(argv));
    console.log(`${verdict.message} (status ${verdict.status})`);
    return verdict.status;
  } catch (error) {
    console.error(error);
    return Status.broken;
  }
}
