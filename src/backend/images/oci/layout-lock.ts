/**
 * Who may change an image layout, and who needs its blobs: engines that share a cache write to the same one. Locks are
 * files that a dead owner can't keep (`machine/lock.ts`).
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../api/errors';
import { KeyedLock } from '../../machine/keyed-lock';
import { acquireLock, hasEnded, ownerOf } from '../../machine/lock';
import { lockFile } from '../../machine/publish';

const lockTimeoutMs = 60_000;
const holdName = /^hold-[0-9a-f-]{36}\.lock$/;
/** One after the other in this process, by folder. */
const changing = new KeyedLock();

export class LayoutLock {
  constructor(private readonly folder: string) {}

  /** Runs `work` while nobody else changes the layout, in this process or another. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    return changing.run(this.folder, async () => {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const lock = await this.lock();
      try {
        return await work();
      } finally {
        lock.release();
      }
    });
  }

  /** Until the answer is called no blob is removed, by nobody. Begins while nobody is removing. */
  hold(): Promise<() => void> {
    return this.alone(() => {
      const lock = acquireLock(join(this.folder, `hold-${randomUUID()}.lock`));
      return Promise.resolve(() => lock?.release());
    });
  }

  /** To be asked alone. What a killed engine held is held no more. */
  async isHeld(): Promise<boolean> {
    let isHeld = false;
    for (const name of (await readdir(this.folder)).filter((each) => holdName.test(each))) {
      const path = join(this.folder, name);
      const owner = ownerOf(path);
      if (owner !== undefined && !hasEnded(path, owner)) {
        isHeld = true;
      } else {
        await rm(path, { force: true });
      }
    }
    return isHeld;
  }

  private async lock(): Promise<{ release(): void }> {
    const path = join(this.folder, 'index.lock');
    const timeout = AbortSignal.timeout(lockTimeoutMs);
    try {
      return await lockFile(path, timeout, 'change images');
    } catch (error) {
      if (!timeout.aborted) {
        throw error;
      }
      const waited = `Timed out after ${lockTimeoutMs / 1000} s waiting for another engine to release the images in ${this.folder}.`;
      throw new BerthError('timeout', waited, { hint: 'Try again.', cause: error });
    }
  }
}
