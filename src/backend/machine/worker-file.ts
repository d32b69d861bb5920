/** Where the code of worker threads is: in `dist` each is a bundle of its own; in tests it is beside what starts it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The path to start a worker with: `worker.js` of a folder of ours, or the bundle of that name. */
export function workerFile(folder: string, bundle: string): string {
  const besides = join(folder, 'worker.js');
  return existsSync(besides) ? besides : join(folder, `${bundle}.js`);
}
