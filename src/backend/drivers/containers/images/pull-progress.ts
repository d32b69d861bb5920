/** Sums the progress of all layers of a pull. */
import type { PullProgress } from '../../../images/pull-progress';
import type { ProgressLine } from '../engine/progress-stream';

interface Layer {
  done: number;
  total: number;
}

const finished =
  /^(Download complete|Verifying Checksum|Extracting|Pull complete|Already exists|Pushed|Layer already exists)$/;

/**
 * Bytes downloaded. A layer counts from the line that tells its size; extracting moves no bytes over the link and
 * leaves the sum alone, so that it never goes back.
 */
export class PullSum {
  private readonly layers = new Map<string, Layer>();
  private current = '';

  /** The status whose lines count bytes. */
  constructor(private readonly counting: 'Downloading' | 'Pushing' = 'Downloading') {}

  add(line: ProgressLine): PullProgress {
    const { id, status = '', progressDetail: detail } = line;
    if (status !== '') {
      this.current = id === undefined || id === '' ? status : `${id}: ${status}`;
    }
    if (id !== undefined && status === this.counting && detail?.current !== undefined) {
      const known = this.layers.get(id);
      this.layers.set(id, {
        done: Math.max(known?.done ?? 0, detail.current),
        total: Math.max(known?.total ?? 0, detail.total ?? 0, detail.current),
      });
    } else if (id !== undefined && finished.test(status)) {
      const layer = this.layers.get(id);
      if (layer !== undefined) {
        layer.done = layer.total;
      }
    }
    return this.sum();
  }

  private sum(): PullProgress {
    let done = 0;
    let total = 0;
    for (const layer of this.layers.values()) {
      done += layer.done;
      total += layer.total;
    }
    return { done, total, current: this.current };
  }
}
