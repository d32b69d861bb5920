/** Tells how far a transfer is, often enough to be seen moving and seldom enough to cost nothing. */
import type { OperationContext } from '../operations/operation-context';

const everyMs = 100;
/** How much of the rate is the newest measurement. */
const smoothing = 0.3;

export class TransferProgress {
  private done = 0;
  private current = '';
  private rate: number | undefined;
  private reportedAt: number;
  private reportedDone = 0;

  constructor(
    private readonly context: OperationContext,
    private total: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.reportedAt = now();
  }

  /** More bytes than were measured beforehand (a file grew) push the total up rather than pass it. */
  add(bytes: number, current?: string): void {
    this.done += bytes;
    this.current = current ?? this.current;
    const elapsed = this.now() - this.reportedAt;
    if (elapsed >= everyMs) {
      const latest = ((this.done - this.reportedDone) / elapsed) * 1000;
      this.rate = this.rate === undefined ? latest : this.rate + smoothing * (latest - this.rate);
      this.report();
    }
  }

  /** For sources that count for themselves. */
  set(done: number, current?: string): void {
    this.add(done - this.done, current);
  }

  get bytes(): number {
    return this.done;
  }

  report(): void {
    this.total = Math.max(this.total, this.done);
    this.reportedAt = this.now();
    this.reportedDone = this.done;
    this.context.progress({
      unit: 'bytes',
      done: this.done,
      total: this.total,
      ...(this.rate !== undefined && { rate: Math.round(this.rate) }),
      ...(this.current !== '' && { current: this.current }),
    });
  }
}
