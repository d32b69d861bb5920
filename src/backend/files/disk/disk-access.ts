/** One volume's image: opened when its files are needed, closed when they were not needed for a while. */
import type { AgentAccess } from '../agent/access';
import type { AgentChannel } from '../agent/channel';
import { type AgentSession, LeasedChannel } from '../agent/leased-channel';
import { sweepLeftovers } from '../agent/sweep';
import { DiskWorker, type WorkerTimeouts } from './disk-worker';
import { punchHoles } from '../../ext4/punch-holes';

const defaultIdleMs = 30_000;

/** What an image needs before it is opened, and after. */
export interface DiskImage {
  volume: string;
  path: string;
  /** It is opened to be read only. */
  isReadOnly?: boolean;
  /** Fails when it must not be opened; makes it fit to be. The answer gives it back. */
  prepare(): Promise<() => void>;
  idleMs?: number;
  timeouts?: WorkerTimeouts;
}

interface Session extends AgentSession {
  worker: DiskWorker;
}

export class DiskAccess implements AgentAccess {
  readonly writesLists = true;
  private readonly lease: LeasedChannel<Session>;

  constructor(private readonly image: DiskImage) {
    this.lease = new LeasedChannel(() => this.start(), image.idleMs ?? defaultIdleMs);
  }

  get volume(): string {
    return this.image.volume;
  }

  get isOpen(): boolean {
    return this.lease.isOpen;
  }

  channel(): Promise<AgentChannel> {
    return this.lease.channel();
  }

  hold(): () => void {
    return this.lease.hold();
  }

  /** Waits for what is being written, then lets go of the image; false, and nothing happened, when that takes longer. */
  async evict(waitMs: number): Promise<boolean> {
    const open = await this.lease.current();
    if (open !== undefined && !(await open.worker.channel.quiet(waitMs))) {
      return false;
    }
    await this.close();
    return true;
  }

  close(): Promise<void> {
    return this.lease.close();
  }

  private async start(): Promise<Session> {
    const { volume, path, isReadOnly = false, timeouts } = this.image;
    const giveBack = await this.image.prepare();
    try {
      const worker = new DiskWorker(volume, { path, isReadOnly }, timeouts);
      await worker.start();
      // What an upload of a killed engine left; on a disk that can't be written it stays, unseen.
      if (!isReadOnly) {
        await sweepLeftovers(worker.channel);
      }
      return { worker, channel: worker.channel, end: () => end(worker, path, giveBack) };
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}

async function end(worker: DiskWorker, image: string, giveBack: () => void): Promise<void> {
  try {
    await worker.end();
    await punchHoles(image, worker.released);
  } finally {
    giveBack();
  }
}
