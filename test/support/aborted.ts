import { BerthError } from '../../src/api/errors';

/** Rejects with `cancelled` once the signal is aborted, and never resolves. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const cancelled = () => reject(new BerthError('cancelled', 'Cancelled.'));
    signal.addEventListener('abort', cancelled, { once: true });
    if (signal.aborted) {
      cancelled();
    }
  });
}
