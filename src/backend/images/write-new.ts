/** A stream into a file that is new: there as a whole or not at all. */
import { createWriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../api/errors';
import { abandonedAfterMs, sweepDrafts } from '../machine/draft-sweep';
import { isErrno, refuseExisting } from '../machine/files';
import { writeWhole } from '../machine/whole-file';
import type { PullProgress } from './pull-progress';
import { throwIfCancelled } from '../machine/wait';

export interface WriteOptions {
  /** About what is to come; 0 where it is not known. */
  totalBytes: number;
  progress: (p: PullProgress) => void;
  signal: AbortSignal;
}

/** Throws `path_exists` when there is such a file. */
export async function writeNew(path: string, source: Readable, options: WriteOptions): Promise<void> {
  const { totalBytes, progress, signal } = options;
  let done = 0;
  const counter = new Transform({
    transform: (chunk: Buffer, _encoding, next) => {
      done += chunk.length;
      progress({ done, total: Math.max(totalBytes, done), current: 'writing' });
      next(null, chunk);
    },
  });
  try {
    await refuseExisting(path);
    await sweepDrafts(dirname(path), abandonedAfterMs);
    const write = (draft: string): Promise<void> =>
      pipeline(source, counter, createWriteStream(draft, { flags: 'wx', mode: 0o644 }), { signal });
    await writeWhole(path, write, { ifPresent: 'refuse' });
  } catch (error) {
    source.destroy();
    throwIfCancelled(signal, 'write a file');
    throw isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')
      ? new BerthError('path_not_found', `${path} can't be written: ${String(error)}.`, { cause: error })
      : error;
  }
}
