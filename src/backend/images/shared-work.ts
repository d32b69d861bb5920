/** Work that several want at once is done once; it is cancelled when nobody waits for it any more. */
import { BerthError } from '../../api/errors';
import type { TransferOptions } from './oci/transfer';
import { throwIfCancelled } from '../machine/wait';

interface Run<T> {
  done: Promise<T>;
  abort: AbortController;
  waiting: Set<TransferOptions['progress']>;
}

export class SharedWork<T> {
  private readonly runs = new Map<string, Run<T>>();

  async join(
    key: string,
    { progress, signal }: TransferOptions,
    work: (options: TransferOptions) => Promise<T>,
  ): Promise<T> {
    throwIfCancelled(signal, 'make a root file system');
    for (
      let ending = this.runs.get(key);
      ending?.abort.signal.aborted === true;
      ending = this.runs.get(key)
    ) {
      await ending.done.catch(() => undefined);
    }
    const run = this.runs.get(key) ?? this.begin(key, work);
    run.waiting.add(progress);
    let leave = (): void => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(new BerthError('cancelled', 'Cancelled.'));
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([run.done, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      run.waiting.delete(progress);
      if (run.waiting.size === 0) {
        run.abort.abort();
        await run.done.catch(() => undefined);
      }
    }
  }

  private begin(key: string, work: (options: TransferOptions) => Promise<T>): Run<T> {
    const abort = new AbortController();
    const waiting: Run<T>['waiting'] = new Set();
    const progress: TransferOptions['progress'] = (now) => waiting.forEach((report) => report(now));
    // A turn later, so that what it reports at once is heard.
    const done = Promise.resolve()
      .then(() => work({ progress, signal: abort.signal }))
      .finally(() => this.runs.delete(key));
    const run = { done, abort, waiting };
    this.runs.set(key, run);
    return run;
  }
}
