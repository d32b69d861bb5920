/**
 * The interpreter of this machine's Python. The `python3` of PATH may be a script that looks for it at each call, as pyenv and asdf
 * have it: five to ten times as slow as the interpreter, which therefore is asked once where it is.
 */
import { access, constants } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { run } from './run';

const program = 'python3';
const timeoutMs = 10_000;

/** A finder that remembers what it has found as long as it is there. */
export function pythonFinder(): () => Promise<string> {
  let known: Promise<string> | undefined;
  return async () => {
    const path = await (known ??= ask());
    // Another version may have come in its place.
    const isGood = path !== program && (await isThere(path));
    if (!isGood) {
      known = undefined;
    }
    return isGood ? path : program;
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
