/** Runs one benchmark as a program: exit code 0 whatever was measured, 1 when it could not run. */
import { report, type Row } from './report';

export function main(title: string, measure: () => Promise<Row[]>): void {
  measure().then(
    (rows) => {
      report(title, rows);
      process.exit(0);
    },
    (error: unknown) => {
      console.error(`${title}: could not run.`, error);
      process.exit(1);
    },
  );
}
