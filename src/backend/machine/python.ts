/**
 * The interpreter of this machine's Python. The `python3` of PATH may be a script that looks for it at each call, as pyenv and asdf
 * have it: five to ten times as slow as the interpreter, which therefore is asked once where it is.
 */
import { access, constants } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { run } from './run';

const program = 'python3';
const timeoutMs = 5_000;

/** A finder that remembers what it has found as long as that is there, and for a while that there is nothing to find. */
export function pythonFinder(askAgainMs = 60_000): () => Promise<string> {
  let known: Promise<string> | undefined;
  let askedAt = 0;
  let askedIn: string | undefined;
  return async () => {
    const { PATH } = process.env;
    if (known === undefined || PATH !== askedIn) {
      known = ask();
      askedAt = performance.now();
      askedIn = PATH;
    }
    const path = await known;
    if (path !== program && (await isThere(path))) {
      return path;
    }
    // Another version may have come in its place.
    if (path !== program || performance.now() - askedAt >= askAgainMs) {
      known = undefined;
    }
    return program;
  };
}

/** The path of the interpreter that `python3` is, or `python3` itself where it does not say. Never rejects. */
export const pythonProgram = pythonFinder();

async function ask(): Promise<string> {
  const argv = ['-I', '-S', '-c', 'import sys; sys.stdout.write(sys.executable or "")'];
  const end = await run(program, argv, { what: 'find Python', timeoutMs }).catch(() => undefined);
  const path = end?.code === 0 ? end.stdout : '';
  return isAbsolute(path) && (await isThere(path)) ? path : program;
}

async function isThere(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
