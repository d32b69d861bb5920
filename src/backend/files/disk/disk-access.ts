/** One volume's image: opened when its files are needed, closed when they were not needed for a while. */
import { Readable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import type { AgentAccess } from '../agent-access';
import type { AgentChannel } from '../agent-channel';
import { numberOf } from '../agent-replies';
import { readableOf, type TakeChunk, type TarSource } from '../tar-flow';
import { DiskWorker, type Patience } from './disk-worker';

const defaultIdleMs = 30_000;
const archiveTimeoutMs = 600_000;
/** Archives go in pieces of that size, a few at a time. */
const piece = 1024 * 1024;
const inFlight = 2;

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

  async getTar(path: string, signal?: AbortSignal): Promise<Readable> {
    const channel = await this.channel();
    const { ok } = await channel.request('tar_open', { path }, { signal });
    const handle = numberOf(ok.handle, 'a handle');
    const close = (): void => void channel.request('tar_close', { handle }).catch(() => undefined);
    const tar = Readable.from(chunksOf(channel, handle, signal), { objectMode: false, highWaterMark: piece });
    return tar.once('close', close);
  }

  async receiveTar(path: string, take: TakeChunk, signal?: AbortSignal): Promise<void> {
    const channel = await this.channel();
    const { ok } = await channel.request('tar_open', { path }, { signal });
    const handle = numberOf(ok.handle, 'a handle');
    try {
      for await (const chunk of chunksOf(channel, handle, signal)) {
        await take(chunk);
      }
    } finally {
      await channel.request('tar_close', { handle }).catch(() => undefined);
    }
  }

  async putTar(folder: string, tar: Readable | TarSource, signal?: AbortSignal): Promise<void> {
    const source = tar instanceof Readable ? tar : readableOf(tar);
    const release = this.hold();
    try {
      const channel = await this.channel();
      const { ok } = await channel.request('untar_open', { folder }, { signal });
      const handle = numberOf(ok.handle, 'a handle');
      try {
        await sendAll(channel, handle, source, signal);
        await channel.request('untar_end', { handle }, { timeoutMs: archiveTimeoutMs });
      } catch (error) {
        await channel.request('tar_close', { handle }).catch(() => undefined);
        throw error;
      }
    } finally {
      source.destroy();
      release();
    }
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
      return { worker, giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}

async function end({ worker, giveBack }: Open): Promise<void> {
  try {
    await worker.end();
  } finally {
    giveBack();
  }
}

/** One is asked for while the one before is used. */
async function* chunksOf(
  channel: AgentChannel,
  handle: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const ask = (): Promise<{ payload: Buffer }> => {
    const answer = channel.request('tar_next', { handle }, { signal });
    answer.catch(() => undefined);
    return answer;
  };
  for (let next = ask(); ;) {
    const { payload } = await next;
    if (payload.length === 0) {
      return;
    }
    next = ask();
    yield payload;
  }
}

async function sendAll(
  channel: AgentChannel,
  handle: number,
  source: Readable,
  signal: AbortSignal | undefined,
): Promise<void> {
  const queue: Promise<unknown>[] = [];
  let gathered: Buffer[] = [];
  let size = 0;
  const send = async (): Promise<void> => {
    const payload = Buffer.concat(gathered, size);
    [gathered, size] = [[], 0];
    const sent = channel.request('untar', { handle }, { payload, timeoutMs: archiveTimeoutMs });
    sent.catch(() => undefined);
    queue.push(sent);
    if (queue.length >= inFlight) {
      await queue.shift();
    }
  };
  for await (const chunk of source) {
    if (signal?.aborted === true) {
      throw new BerthError('cancelled', 'Cancelled.');
    }
    gathered.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= piece) {
      await send();
    }
  }
  if (size > 0) {
    await send();
  }
  await Promise.all(queue);
}
