import { Cancelled } from '../../ui/runner';

/** Works on a few things at a time, in their order; throws `Cancelled` before the next one when told to stop. */
export async function inParallel<T>(
  things: readonly T[],
  { atOnce, signal }: { atOnce: number; signal: AbortSignal },
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const queue = things[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      if (signal.aborted) {
        throw new Cancelled();
      }
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
