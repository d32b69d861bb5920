/** Where the code of worker threads is: in `dist` it is a bundle of its own; in tests it is beside this file. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The path to start a worker with. */
export function workerFile(): string {
  const besides = join(__dirname, 'worker.js');
  return existsSync(besides) ? besides : join(__dirname, 'disk-worker.js');
}
