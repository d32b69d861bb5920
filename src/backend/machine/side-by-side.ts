/** Works that need not wait for one another. */

/**
 * Some at a time; answers in their order when all have ended. After a failure none is begun any more, those under way are
 * waited for, and the first failure is thrown: nothing goes on behind the back of who cleans up.
 */
export async function sideBySide<T, R>(
  all: readonly T[],
  atOnce: number,
  work: (each: T) => Promise<R>,
): Promise<R[]> {
  const results: { at: number; result: R }[] = [];
  const queue = all.entries();
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    for (const [at, each] of queue) {
      if (hasFailed) {
        return;
      }
      try {
        results.push({ at, result: await work(each) });
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, all.length) }, worker);
  const ended = await Promise.allSettled(workers);
  const failure = ended.find((each) => each.status === 'rejected');
  if (failure !== undefined) {
    throw failure.reason;
  }
  return results.sort((one, other) => one.at - other.at).map(({ result }) => result);
}
