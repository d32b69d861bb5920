/** What `npm run soak` adds to every seed, to draw other cases in each round. */
const round = Number(process.env.BERTH_SEED ?? 0);

/** Random numbers that are the same every time: a failure can be had again. */
export class Random {
  private seed: number;

  constructor(seed: number) {
    this.seed = (seed + round) >>> 0;
  }

  /** From 0 to `below`, whole. */
  next(below: number): number {
    // mulberry32
    this.seed = (this.seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), this.seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.next(items.length)]!;
  }
}
