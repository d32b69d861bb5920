/** The end of input on a terminal: a terminal has none, so it is typed. */
import type { ExecSession } from '../services/workspaces/access';

/** VEOF of a terminal as it is by default: Ctrl-D. */
const endOfText = '\u0004';
/** VKILL, Ctrl-U: to the end of input belongs an empty line. */
const emptyLine = '\u0015';
const firstAgainMs = 250;
const maxAgainMs = 30_000;

/**
 * Whoever reads from now on finds the end. It is typed again while the process runs, as each reader takes one of them.
 * A shell that sets up its terminal only later reads the first one as a zero byte in its line: then that line must be
 * emptied. A program that reads lines has got all of the last one by the first, so nothing of it is lost.
 */
export function typeEndOfInput(session: Pick<ExecSession, 'stdin' | 'exit'>): void {
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const type = (keys: string, againMs: number): void => {
    if (hasEnded || session.stdin.destroyed) {
      return;
    }
    session.stdin.write(keys);
    const again = (): void => type(emptyLine + endOfText, Math.min(againMs * 2, maxAgainMs));
    timer = setTimeout(again, againMs).unref();
  };
  const end = (): void => {
    hasEnded = true;
    clearTimeout(timer);
  };
  session.exit.then(end, end);
  type(endOfText, firstAgainMs);
}
