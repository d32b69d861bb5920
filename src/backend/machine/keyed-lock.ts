/** Runs tasks with the same key one after the other, different keys side by side. */
export class KeyedLock {
  private readonly tails = new Map<string, Promise<unknown>>();

  /** Unless a task of this key runs or waits: then it is left out. */
  async runIfFree(key: string, task: () => Promise<void>): Promise<void> {
    if (!this.tails.has(key)) {
      await this.run(key, task);
    }
  }

  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const previous = this.tails.get(key) ?? Promise.resolve();
    const result = previous.then(task, task);
    const tail = result.catch(() => undefined);
    this.tails.set(key, tail);
    void tail.then(() => {
      if (this.tails.get(key) === tail) {
        this.tails.delete(key);
      }
    });
    return result;
  }
}
