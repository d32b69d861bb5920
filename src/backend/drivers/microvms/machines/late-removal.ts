/**
 * Removes large files a little later, after the user's operation: unlinking a large file stalls concurrent fsyncs on
 * many disks.
 */
import { rm } from 'node:fs/promises';
import type { Log } from '../../../machine/log';

const delayMs = 2_000;

export class LateRemoval {
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private readonly removing = new Set<Promise<void>>();

  constructor(private readonly log: Log) {}

  add(path: string): void {
    clearTimeout(this.waiting.get(path));
    this.waiting.set(
      path,
      setTimeout(() => this.remove(path), delayMs),
    );
  }

  /** Resolves when all of them are gone. */
  async close(): Promise<void> {
    [...this.waiting.keys()].forEach((path) => this.remove(path));
    await Promise.all(this.removing);
  }

  private remove(path: string): void {
    clearTimeout(this.waiting.get(path));
    this.waiting.delete(path);
    const removal = rm(path, { force: true })
      .catch((error: unknown) => {
        this.log.warn({ path, error: String(error) }, 'a file that nobody needs was not removed');
      })
      .finally(() => this.removing.delete(removal));
    this.removing.add(removal);
  }
}
