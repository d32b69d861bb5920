/**
 * What runs in the thread for small files. It waits for the system at each call: a promise for each call, and a thread
 * that is woken for it, would cost several times as much as the call.
 */
import { closeSync, constants, fchmodSync, futimesSync, openSync, readSync, writeSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { localPath } from '../../../machine/file-names';
import { fileTime } from '../../../machine/files';
import { readFlags } from '../open-flags';
import type { Answer, Failure, Job, ReadJob, WriteJob } from './jobs';

const newFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** Whether a worker was started for small files of this machine. */
export function isSmallFilesData(data: unknown): data is { smallFiles: true } {
  return typeof data === 'object' && data !== null && 'smallFiles' in data;
}

/** Does jobs of the port, one after the other, until the thread is ended. */
export function serveSmallFiles(port: MessagePort): void {
  port.on('message', (job: Job) => {
    const answer = 'write' in job ? write(job) : read(job);
    port.postMessage(answer, [answer.contents.buffer as ArrayBuffer]);
  });
}

function write({ write: paths, sizes, modes, times, contents }: WriteJob): Answer {
  const failures = attemptAll(paths, sizes, (path, index, start, end) => {
    const file = openSync(localPath(path), newFlags, 0o600);
    try {
      for (let at = start; at < end;) {
        at += writeSync(file, contents, at, end - at);
      }
      fchmodSync(file, modes[index] ?? 0);
      const time = fileTime(times[index] ?? 0);
      futimesSync(file, time, time);
    } finally {
      closeSync(file);
    }
  });
  return { failures, contents: new Uint8Array() };
}

function read({ read: paths, sizes }: ReadJob): Answer {
  const contents = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + size, 0));
  const failures = attemptAll(paths, sizes, (path, _index, start, end) => {
    const file = openSync(localPath(path), readFlags);
    try {
      if (readSync(file, contents, start, end - start, 0) !== end - start) {
        throw new Error('it changed while it was read');
      }
    } finally {
      closeSync(file);
    }
  });
  return { failures, contents };
}

/** `run` gets where the content of the file is among those of all. */
function attemptAll(
  paths: readonly string[],
  sizes: Float64Array,
  run: (path: string, index: number, start: number, end: number) => void,
): Failure[] {
  const failures: Failure[] = [];
  let end = 0;
  for (const [index, path] of paths.entries()) {
    const start = end;
    end += sizes[index] ?? 0;
    try {
      run(path, index, start, end);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      failures.push({ index, message, code });
    }
  }
  return failures;
}
