/** Figures of repeated measurements. */

/** The value at a share of the sorted values: 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) {
    throw new Error('Nothing was measured.');
  }
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** How long something takes, in milliseconds. */
export async function time(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** The times of so many runs, after one that does not count. */
export async function repeat(rounds: number, run: () => unknown): Promise<number[]> {
  await run();
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(await time(run));
  }
  return times;
}

export interface Pair {
  subject: number;
  baseline: number;
}

/**
 * Medians of a subject and its baseline, run in turns so that whatever else the machine does meets both.
 * Each run answers its own time: what it prepares and cleans up does not count.
 */
export async function interleave(
  rounds: number,
  subject: (round: number) => Promise<number>,
  baseline: (round: number) => Promise<number>,
): Promise<Pair> {
  const times = { subject: [] as number[], baseline: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.baseline.push(await baseline(round));
    times.subject.push(await subject(round));
  }
  return { subject: median(times.subject), baseline: median(times.baseline) };
}
