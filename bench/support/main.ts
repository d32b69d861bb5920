/** Runs one benchmark as a program: exit code 0 whatever was measured, 1 when it could not run. */
import { report, type Row } from './report';

/** Fewer rounds and smaller sizes: to see that it works, not to compare. */
export const isQuick = process.argv.includes('quick');

export function main(title: string, measure: () => Promise<Row[]>): void {
  measure().then(
    (rows) => {
      report(isQuick ? `${title}, quick` : title, rows);
      process.exit(0);
    },
    (error: unknown) => {
      console.error(`${title}: could not run.`, error);
      process.exit(1);
    },
  );
}
