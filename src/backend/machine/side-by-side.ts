/** Works that need not wait for one another. */

/**
 * Some at a time; answers in their order when all have ended. After a failure none is begun any more, those under way are
 * waited for, and the failure that came first is thrown, without those after it, which may be of its making: nothing goes on
 * behind the back of who cleans up.
 */
export async function sideBySide<T, R>(
  all: readonly T[],
  atOnce: number,
  work: (each: T) => Promise<R>,
): Promise<R[]> {
  const results: { at: number; result: R }[] = [];
  const queue = all.entries();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const [at, each] of queue) {
      if (failures.length > 0) {
        return;
      }
      try {
        results.push({ at, result: await work(each) });
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker));
  if (failures.length > 0) {
    throw failures[0];
  }
  return results.sort((one, other) => one.at - other.at).map(({ result }) => result);
}
