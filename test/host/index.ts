/** The entry of the host tests: VS Code calls `run` inside its extension host. */
import { REPORT_MARK, RESULT_VARIABLE } from '../runner/result';
import { runSuite } from '../runner/suite';

export async function run(): Promise<void> {
  const resultFile = process.env[RESULT_VARIABLE];
  const print = (text: string): void => console.log(`${REPORT_MARK}${text}`);
  const result = await runSuite({ directories: [__dirname], print, ...(resultFile ? { resultFile } : {}) });
  if (result.failed > 0) throw new Error(`${result.failed} of ${result.tests.length} tests failed`);
}
