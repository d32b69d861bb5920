/**
 * Work that takes its time goes in steps: between two of them other requests are answered, and no transaction is open.
 */
import { DiskError } from '../../../ext4/disk-error';
import type { Ext4 } from '../../../ext4/file-system';
import { asError } from '../../../machine/as-error';

export type Work<T> = Generator<undefined, T>;

/** A step is so long at most, where it can be cut. */
const stepMs = 25;
const maxChanges = 1024;
const maxPerFrame = 512;
const progressEveryMs = 100;

/** What a request knows of whoever asked. */
export class Job {
  private isCancelled = false;
  private sentAt = 0;

  constructor(
    readonly id: number,
    private readonly send: (head: Readonly<Record<string, unknown>>) => void,
  ) {}

  cancel(): void {
    this.isCancelled = true;
  }

  /** Throws `cancelled` once it is. */
  check(): void {
    if (this.isCancelled) {
      throw new DiskError('cancelled');
    }
  }

  /** Bytes, or names that are gone. */
  progress(count: number): void {
    const now = Date.now();
    if (now - this.sentAt >= progressEveryMs) {
      this.sentAt = now;
      this.send({ id: this.id, progress: count });
    }
  }

  changes(rows: readonly (readonly [string, string])[]): void {
    this.send({ id: this.id, changes: rows });
  }
}

/** Does the work to its end, letting others in between; a cancelled job fails inside it, so that it can tidy up. */
export function finish<T>(work: Work<T>, job: Job): Promise<T> {
  return new Promise((resolve, reject) => {
    const step = (): void => {
      try {
        for (const end = performance.now() + stepMs; performance.now() < end;) {
          const { done, value } = resume(work, job);
          if (done === true) {
            resolve(value);
            return;
          }
        }
        setImmediate(step);
      } catch (error) {
        reject(asError(error));
      }
    };
    step();
  });
}

function resume<T>(work: Work<T>, job: Job): IteratorResult<undefined, T> {
  try {
    job.check();
  } catch (error) {
    return work.throw(error);
  }
  return work.next();
}

/** Many small changes in few transactions. After an error nothing of the open one is left. */
export class Batch {
  private count = 0;

  constructor(private readonly fs: Ext4) {}

  *add(change: () => unknown): Work<void> {
    try {
      change();
    } catch (error) {
      this.fs.rollback();
      throw error;
    }
    this.count++;
    if (this.count >= maxPerFrame || this.fs.changes >= maxChanges) {
      yield* this.flush();
    }
  }

  *flush(): Work<void> {
    this.commit();
    yield;
  }

  commit(): void {
    this.count = 0;
    try {
      this.fs.commit();
    } catch (error) {
      this.fs.rollback();
      throw error;
    }
  }
}
