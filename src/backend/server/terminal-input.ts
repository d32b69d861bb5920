/** The end of input on a terminal: a terminal has none, so it is typed. */
import type { ExecSession } from '../drivers/driver';

/** VEOF of a terminal as it is by default: Ctrl-D. */
const endOfText = '\u0004';
const firstAgainMs = 250;
const maxAgainMs = 30_000;

/**
 * Whoever reads from now on finds the end. It is typed again while the process runs: each reader takes one of them,
 * and a shell that sets up its terminal only later loses what was typed before.
 */
export function typeEndOfInput(session: Pick<ExecSession, 'stdin' | 'exit'>): void {
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const type = (againMs: number): void => {
    if (hasEnded || session.stdin.destroyed) {
      return;
    }
    session.stdin.write(endOfText);
    timer = setTimeout(() => type(Math.min(againMs * 2, maxAgainMs)), againMs).unref();
  };
  const end = (): void => {
    hasEnded = true;
    clearTimeout(timer);
  };
  session.exit.then(end, end);
  type(firstAgainMs);
}
