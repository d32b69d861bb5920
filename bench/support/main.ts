/** Runs one benchmark as a program: exit code 0 whatever was measured, 1 when it could not run. */
import { report, type Row } from './report';

/** Fewer rounds and smaller sizes: to see that it works, not to compare. */
export const isQuick = process.argv.includes('quick');

export function main(title: string, measure: () => Promise<Row[]>): void {
  // What waits for nothing that can come ends without a word otherwise.
  process.on('beforeExit', () => {
    console.error(`${title}: could not run. It ended before all was measured.`);
    process.exit(1);
  });
  measure().then(
    (rows) => {
      report(isQuick ? `${title}, quick` : title, rows);
      process.exit(0);
    },
    (error: unknown) => {
      console.error(`${title}: could not run. ${wordsOf(error)}`);
      process.exit(1);
    },
  );
}

/** A bundle quotes itself, in one endless line, when it throws. */
function wordsOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = text.split('\n').filter((line) => line.length < 1000);
  return lines.slice(0, 30).join('\n');
}
