/** Programs of e2fsprogs, which make, check and grow file systems. Needed for that only: files are read and written without. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BerthError } from '../../api/errors';
import { endInWords, run } from '../machine/run';

export type E2fsProgram = 'e2fsck' | 'mke2fs' | 'resize2fs';

/** Where they are when not in PATH: for administrators only on Linux, and where Homebrew and MacPorts put them. */
const folders = [
  '/usr/sbin',
  '/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/opt/e2fsprogs/sbin',
  '/usr/local/opt/e2fsprogs/sbin',
  '/opt/local/sbin',
];
const outputKept = 2000;

export interface Outcome {
  exitCode: number;
  output: string;
}

/** Undefined when this machine does not have it. */
export async function findE2fs(
  program: E2fsProgram,
  path = process.env.PATH ?? '',
): Promise<string | undefined> {
  for (const folder of [...path.split(delimiter).filter((part) => part !== ''), ...folders]) {
    const file = join(folder, program);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) {
      return file;
    }
  }
  return undefined;
}

/** All but mke2fs take what follows a question mark in a path for options, and would open another file. */
function refuseOtherPath(program: E2fsProgram, args: readonly string[], what: string): void {
  const path = args.find((arg) => arg.startsWith('/') && arg.includes('?'));
  if (path !== undefined && program !== 'mke2fs') {
    throw new BerthError(
      'bad_request',
      `Could not ${what}: ${program} can't open a path with a question mark: ${path}.`,
      { hint: 'Rename the file, or the folder that it is in.' },
    );
  }
}

/**
 * Runs it to its end; what its exit code means is the caller's to say. Throws `not_supported` where it is not
 * installed, `internal` when it was killed.
 */
export async function runE2fs(
  program: E2fsProgram,
  args: readonly string[],
  what: string,
  timeoutMs: number,
  find: typeof findE2fs = findE2fs,
): Promise<Outcome> {
  refuseOtherPath(program, args, what);
  const file = await find(program);
  if (file === undefined) {
    throw new BerthError('not_supported', `${program} is needed to ${what}, and is not installed.`, {
      hint: 'Install e2fsprogs (`apt install e2fsprogs`, `brew install e2fsprogs`), then try again.',
    });
  }
  const env = { ...process.env, LC_ALL: 'C' };
  const end = await run(file, args, { what, timeoutMs, env });
  if (end.code === null) {
    throw new BerthError('internal', `Could not ${what}: ${program} ${endInWords(end)}.`);
  }
  return { exitCode: end.code, output: `${end.stdout}${end.stderr}`.trim().slice(-outputKept) };
}

/** The last line that says something, for messages. */
export function lastLine({ output }: Outcome): string {
  return output.split('\n').at(-1)?.trim() ?? '';
}
