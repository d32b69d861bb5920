/** One volume's image: opened when its files are needed, closed when they were not needed for a while. */
import type { AgentAccess } from '../agent/access';
import type { AgentChannel } from '../agent/channel';
import { sweepLeftovers } from '../agent/sweep';
import { DiskWorker, type Patience } from './disk-worker';
import { punchHoles } from '../../ext4/punch-holes';

const defaultIdleMs = 30_000;

/** What an image needs before it is opened, and after. */
export interface DiskImage {
  volume: string;
  path: string;
  /** Fails when it must not be opened; makes it fit to be. The answer gives it back. */
  prepare(): Promise<() => void>;
  idleMs?: number;
  patience?: Patience;
}

interface Open {
  worker: DiskWorker;
  image: string;
  giveBack: () => void;
}

export class DiskAccess implements AgentAccess {
  private opening: Promise<Open> | undefined;
  private closing: Promise<void> = Promise.resolve();
  private holds = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly image: DiskImage) {}

  get volume(): string {
    return this.image.volume;
  }

  get isOpen(): boolean {
    return this.opening !== undefined;
  }

  async channel(): Promise<AgentChannel> {
    return (await this.open()).worker.channel;
  }

  hold(): () => void {
    this.holds++;
    clearTimeout(this.idle);
    let isHeld = true;
    return () => {
      if (isHeld) {
        isHeld = false;
        this.holds--;
        this.closeWhenIdle();
      }
    };
  }

  /** Waits for what is being written, then lets go of the image; false, and nothing happened, when that takes longer. */
  async evict(waitMs: number): Promise<boolean> {
    const open = await this.opening?.catch(() => undefined);
    if (open !== undefined && !(await open.worker.channel.quiet(waitMs))) {
      return false;
    }
    await this.close();
    return true;
  }

  async close(): Promise<void> {
    clearTimeout(this.idle);
    const { opening } = this;
    this.opening = undefined;
    if (opening !== undefined) {
      this.closing = opening.then(end, () => undefined);
    }
    await this.closing;
  }

  private closeWhenIdle(): void {
    if (this.holds > 0 || this.opening === undefined) {
      return;
    }
    clearTimeout(this.idle);
    this.idle = setTimeout(
      () => void this.close().catch(() => undefined),
      this.image.idleMs ?? defaultIdleMs,
    );
    this.idle.unref();
  }

  private open(): Promise<Open> {
    if (this.opening === undefined) {
      const opening = this.closing.then(() => this.start());
      this.opening = opening;
      opening.then(
        (open) => void open.worker.channel.closed.then(() => this.forget(opening, open)),
        () => this.forget(opening),
      );
    }
    return this.opening;
  }

  /** The worker ended, whyever: the next call opens a new one. */
  private forget(opening: Promise<Open>, open?: Open): void {
    if (this.opening === opening) {
      this.opening = undefined;
      if (open !== undefined) {
        this.closing = end(open);
      }
    }
  }

  private async start(): Promise<Open> {
    const { volume, path, patience } = this.image;
    const giveBack = await this.image.prepare();
    try {
      const worker = new DiskWorker(volume, path, patience);
      await worker.start();
      // What an upload of a killed engine left; on a disk that can't be written it stays, unseen.
      await sweepLeftovers(worker.channel);
      return { worker, image: path, giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}

async function end({ worker, image, giveBack }: Open): Promise<void> {
  try {
    await worker.end();
    await punchHoles(image, worker.released);
  } finally {
    giveBack();
  }
}
