/** The thread's side of reading small files. */
import { closeSync, openSync, readSync } from 'node:fs';
import { localPath } from '../../../machine/file-names';
import { readFlags } from '../open-flags';
import type { Failure, ReadAnswer, ReadJob } from './jobs';

/** Reads the files of a job, one after the other. */
export function readAll({ read: paths, sizes }: ReadJob): ReadAnswer {
  const contents = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
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
