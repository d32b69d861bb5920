/** What is asked for at one time goes to the thread for small files together. */
import type { Failure, ReadAnswer } from './jobs';

const maxFiles = 256;
const maxBytes = 1024 * 1024;

interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/** Up to a size that keeps both sides busy. */
export class Batches<T extends { size: number }, R> {
  private waiting: Waiting<T, R>[] = [];
  private bytes = 0;

  /** `run` does a batch; `resultsOf` says what came of each item, if it did not fail. */
  constructor(
    private readonly run: (items: readonly T[]) => Promise<ReadAnswer>,
    private readonly resultsOf: (items: readonly T[], answer: ReadAnswer) => R[],
  ) {}

  /** Fails with the error of the system. */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length === 0) {
        queueMicrotask(() => this.flush());
      }
      this.waiting.push({ item, resolve, reject });
      this.bytes += item.size;
      if (this.waiting.length >= maxFiles || this.bytes >= maxBytes) {
        this.flush();
      }
    });
  }

  private flush(): void {
    const { waiting } = this;
    [this.waiting, this.bytes] = [[], 0];
    if (waiting.length > 0) {
      void this.settle(waiting);
    }
  }

  private async settle(waiting: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const items = waiting.map(({ item }) => item);
      const answer = await this.run(items);
      const failures = new Map(answer.failures.map((failure) => [failure.index, failure]));
      const results = this.resultsOf(items, answer);
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const failure = failures.get(index);
        if (failure === undefined) {
          resolve(results[index] as R);
        } else {
          reject(errorOf(failure));
        }
      }
    } catch (error) {
      waiting.forEach(({ reject }) => reject(error));
    }
  }
}

function errorOf({ message, code }: Failure): Error {
  return Object.assign(new Error(message), code !== undefined && { code });
}
