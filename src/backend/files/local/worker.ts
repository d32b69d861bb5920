/** The worker thread that works with files of this machine. */
import { parentPort } from 'node:worker_threads';
import { serveLocalFiles } from './serve';

if (parentPort !== null) {
  serveLocalFiles(parentPort);
}
