/** What is done to a microVM, one after the other; and who may not wait for that. */
import { KeyedLock } from '../../../machine/keyed-lock';

export class RuntimeLock extends KeyedLock {
  /** How many of `runTaking` run or wait. */
  private readonly taking = new Map<string, number>();

  /** For what may have to wait for a disk of it. */
  async runTaking<T>(name: string, task: () => Promise<T>): Promise<T> {
    this.taking.set(name, (this.taking.get(name) ?? 0) + 1);
    try {
      return await this.run(name, task);
    } finally {
      const left = (this.taking.get(name) ?? 1) - 1;
      if (left === 0) {
        this.taking.delete(name);
      } else {
        this.taking.set(name, left);
      }
    }
  }

  /**
   * For who has a disk of it: undefined at once where that would wait for what may wait for the disk, so that neither would
   * ever end.
   */
  async runUnlessTaken<T>(name: string, task: () => Promise<T>): Promise<T | undefined> {
    return this.taking.has(name) ? undefined : this.run(name, task);
  }
}
