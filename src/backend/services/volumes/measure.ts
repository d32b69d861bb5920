/** How much there is below a folder, within a time: for a question that somebody waits for. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileMeasure } from '../../../api/files/schemas';
import { joinPath } from '../../../api/rules/volume-path';
import type { VolumeFiles } from '../../files/volume-files';

/** Each answer is a round trip: so many are under way at once. */
const foldersAtOnce = 8;

export interface MeasureOptions {
  /** When it is up, what was found so far is the answer. */
  withinMs: number;
  signal: AbortSignal;
}

/** Links are not followed. Rejects with what is wrong with the path itself, and when it is cancelled. */
export async function measure(
  files: VolumeFiles,
  path: string,
  { withinMs, signal }: MeasureOptions,
): Promise<FileMeasure> {
  const { type, size } = await files.stat(path);
  if (type !== 'directory') {
    return { files: 1, folders: 0, bytes: size };
  }
  const timer = new AbortController();
  const walk = new Walk(files);
  const isUp = sleep(withinMs, true, { signal: AbortSignal.any([timer.signal, signal]) }).catch(() => false);
  try {
    await Promise.race([walk.run(path), isUp]);
    signal.throwIfAborted();
    return walk.end();
  } finally {
    timer.abort();
  }
}

class Walk {
  private readonly found: FileMeasure = { files: 0, folders: 1, bytes: 0 };
  private readonly todo: string[] = [];
  private running = 0;
  private isOver = false;

  constructor(private readonly files: VolumeFiles) {}

  /** Resolves when all folders were read, or `end` was called. */
  run(path: string): Promise<void> {
    this.todo.push(path);
    return new Promise((resolve) => {
      const next = (): void => {
        while (!this.isOver && this.running < foldersAtOnce && this.todo.length > 0) {
          this.running++;
          void this.folder(this.todo.pop() ?? path).finally(() => {
            this.running--;
            next();
          });
        }
        if (this.running === 0) {
          resolve();
        }
      };
      next();
    });
  }

  /** What was found; nothing more is asked for. */
  end(): FileMeasure {
    this.isOver = true;
    const isWhole = this.running === 0 && this.todo.length === 0;
    return isWhole ? this.found : { ...this.found, isAtLeast: true };
  }

  private async folder(path: string): Promise<void> {
    try {
      const { entries } = await this.files.list(path);
      for (const { name, type, size } of this.isOver ? [] : entries) {
        if (type === 'directory') {
          this.found.folders++;
          this.todo.push(joinPath(path, name));
        } else {
          this.found.files++;
          this.found.bytes += type === 'file' ? size : 0;
        }
      }
    } catch {
      // Gone meanwhile, or not to be read: what is there otherwise is an answer all the same.
      this.found.isAtLeast = true;
    }
  }
}
