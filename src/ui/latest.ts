/** Without VS Code: what belongs to one attempt is not mixed with what a later one brings. */
import { BerthError } from '../api';

export interface Looking<T> {
  load: (folder: string) => Promise<T>;
  /** What was loaded, of the folder that it is of. */
  show: (folder: string, loaded: T) => void;
  failed: (folder: string, error: unknown) => void;
  /** While true, what is shown is of another folder than the one that was asked for. */
  busy: (isBusy: boolean) => void;
}

/** Looks into one folder after the other; an answer that comes after a later question is dropped. */
export class Looks<T> {
  private turn = 0;
  private shown = '/';

  constructor(private readonly looking: Looking<T>) {}

  /** The folder that is shown, not the one that was asked for last. */
  get folder(): string {
    return this.shown;
  }

  /** Never rejects. */
  async enter(folder: string): Promise<void> {
    const turn = ++this.turn;
    const { load, show, failed, busy } = this.looking;
    busy(true);
    try {
      const loaded = await load(folder);
      if (turn === this.turn) {
        this.shown = folder;
        show(folder, loaded);
      }
    } catch (error) {
      if (turn === this.turn) {
        failed(folder, error);
      }
    }
    if (turn === this.turn) {
      busy(false);
    }
  }
}

/** What is waited for, or `cancelled` as soon as somebody cancels: what goes on alone goes on unseen. */
export function orCancelled<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancelled = (): void => reject(new BerthError('cancelled', 'Cancelled.'));
    if (signal.aborted) {
      cancelled();
    }
    signal.addEventListener('abort', cancelled, { once: true });
    waiting.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancelled));
  });
}
