/** How long something takes, in milliseconds, when the machine is not busy with something else: the best of `tries`. */
export async function fastest(tries: number, run: () => unknown): Promise<number> {
  let best = Infinity;
  for (let turn = 0; turn < tries; turn += 1) {
    const begin = performance.now();
    await run();
    best = Math.min(best, performance.now() - begin);
  }
  return best;
}
