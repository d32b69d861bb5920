/** How much a guest may say unasked: what it says beyond that keeps the engine from its work. */

export interface FloodLimits {
  /** At once. */
  burstBytes: number;
  bytesPerSecond: number;
}

/** A bucket that fills with time: what is not in it may not be taken. */
export class FloodGuard {
  private left: number;
  private seenMs: number;

  constructor(
    private readonly limits: FloodLimits,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.left = limits.burstBytes;
    this.seenMs = now();
  }

  /** False when that is too much. */
  take(bytes: number): boolean {
    const { burstBytes, bytesPerSecond } = this.limits;
    const nowMs = this.now();
    const filled = this.left + ((nowMs - this.seenMs) / 1000) * bytesPerSecond;
    this.seenMs = nowMs;
    this.left = Math.min(burstBytes, filled) - bytes;
    return this.left >= 0;
  }
}
