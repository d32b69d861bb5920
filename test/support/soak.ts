/** What a test run has little time for, and `npm run soak` much. */

/** A round of a soak has a seed. */
export const isSoak = process.env.BERTH_SEED !== undefined;

/** How often something is done: in each round of a soak more often. */
export const times = (inTests: number, inSoak: number): number => (isSoak ? inSoak : inTests);

/** Of cases that are alike, as many as a run has time for, evenly drawn from all; all in a soak. */
export const someOf = <T>(cases: readonly T[], count: number): T[] =>
  cases.filter((_, index) => isSoak || (index * count) % cases.length < count);

/** A test of which every run has another one that shows nearly the same in less time. */
export function itInSoak(title: string, test: Mocha.AsyncFunc): void {
  if (isSoak) it(title, test);
}
