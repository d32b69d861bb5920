/** What a test run has little time for, and `npm run soak` much. */

/** How often something is done: in each round of a soak, which has a seed, more often. */
export const times = (inTests: number, inSoak: number): number =>
  process.env.BERTH_SEED === undefined ? inTests : inSoak;
