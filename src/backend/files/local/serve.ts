/**
 * What runs in the thread for files of this machine. It waits for the system at each call: a promise for each call, and a
 * thread that is woken for it, would cost several times as much as the call.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ReadJob } from './small/jobs';
import { readAll } from './small/serve';
import type { UnpackStep } from './unpack/messages';
import { UnpackServer } from './unpack/serve';

/** Does jobs of the port, one after the other, until the thread is ended. */
export function serveLocalFiles(port: MessagePort): void {
  const unpacking = new UnpackServer();
  port.on('message', (job: ReadJob | UnpackStep) => {
    if ('read' in job) {
      const answer = readAll(job);
      port.postMessage(answer, [answer.contents.buffer]);
    } else {
      const answer = unpacking.do(job);
      port.postMessage(answer, answer.facts === undefined ? [] : [answer.facts.buffer]);
    }
  });
}
