/**
 * Notices that this machine slept: the time of day went on, and what counts from its start did not. On macOS and Windows
 * that goes on too (`mach_continuous_time`, `QueryPerformanceCounter`), but this watch comes late. Clocks of guests stand
 * still meanwhile, and are behind by as much afterwards.
 */
const lookMs = 5_000;
/** Less is the drift of clocks, or a timer that came late between two readings. */
const jumpMs = 1_500;
/** A look that comes so late: more than a busy machine makes of it. To tell guests the time once too often does no harm. */
const lateMs = 10_000;

export interface Clock {
  /** Of the day, in ms. */
  wall: () => number;
  /** Of what runs, in ms. */
  steady: () => number;
}

const ownClock: Clock = { wall: () => Date.now(), steady: () => performance.now() };

export class ClockWatch {
  private readonly timer: NodeJS.Timeout;
  private offset: number;
  private lookedAt: number;

  /** `jumped` is called after each jump of the time of day, forth or back, and after each time that nobody looked. */
  constructor(
    private readonly jumped: (ms: number) => void,
    private readonly clock = ownClock,
  ) {
    this.offset = this.now();
    this.lookedAt = this.clock.steady();
    this.timer = setInterval(() => this.look(), lookMs).unref();
  }

  look(): void {
    const offset = this.now();
    const jump = offset - this.offset;
    const steady = this.clock.steady();
    const late = steady - this.lookedAt - lookMs;
    this.lookedAt = steady;
    if (Math.abs(jump) > jumpMs) {
      this.offset = offset;
      this.jumped(jump);
    } else if (late > lateMs) {
      this.jumped(late);
    }
  }

  close(): void {
    clearInterval(this.timer);
  }

  private now(): number {
    return this.clock.wall() - this.clock.steady();
  }
}
