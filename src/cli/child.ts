/** Runs a program that takes over this terminal. */
import { constants } from 'node:os';
import spawn from 'cross-spawn';
import { BerthError } from '../api';
import type { Cli } from './cli';

/**
 * By a library, as only `cmd` runs the .cmd of an editor on Windows. The program's exit code, 128 + n when signal n
 * ended it, as shells have it. Throws `cancelled` after Ctrl-C, `not_found` with the hint where there is no such
 * program.
 */
export async function runInTerminal(cli: Cli, argv: readonly string[], missingHint: string): Promise<number> {
  const [program = '', ...args] = argv;
  if (cli.signal.aborted) {
    throw new BerthError('cancelled', 'Cancelled.');
  }
  return cli.interrupts.leaveTo(
    () =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: 'inherit', cwd: cli.cwd, env: cli.env });
        const stop = (): void => void child.kill(cli.interrupts.endSignal);
        cli.signal.addEventListener('abort', stop, { once: true });
        child.on('error', (error: NodeJS.ErrnoException) => {
          const missing = error.code === 'ENOENT';
          const message = missing ? `There is no program "${program}" on this machine.` : error.message;
          reject(
            new BerthError(
              missing ? 'not_found' : 'internal',
              message,
              missing ? { hint: missingHint } : { cause: error },
            ),
          );
        });
        child.on('close', (code, signal) => {
          cli.signal.removeEventListener('abort', stop);
          resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
        });
      }),
  );
}
