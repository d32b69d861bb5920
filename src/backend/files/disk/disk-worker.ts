/** One worker thread on one image, seen as a channel to a file agent. It is ended when it hangs. */
import { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { BerthError } from '../../../api/errors';
import { AgentChannel, type Reply, type RequestOptions } from '../agent/channel';
import { agentError } from '../agent/errors';
import type { Range } from '../../ext4/punch-holes';
import type { FromWorker } from './worker';
import { diskWorkerFile } from './worker-file';
import { spareBytes } from './agent/spares';

/** A step of its work takes milliseconds: one that says nothing for so long, and then not to a ping, hangs. */
export interface WorkerTimeouts {
  silentMs: number;
  pingMs: number;
}
const timeouts: WorkerTimeouts = { silentMs: 20_000, pingMs: 15_000 };
const memoryMiB = 512;
const endMs = 15_000;

/** What requests begin and end: things of these kinds are open in between. */
const begins: Readonly<Record<string, string>> = {
  open_write: 'file',
  untar_open: 'archive',
  stage: 'stage',
};
const ends: Readonly<Record<string, string>> = {
  commit: 'file',
  close: 'file',
  untar_end: 'archive',
  tar_close: 'archive',
  merge: 'stage',
  unstage: 'stage',
};

/** Knows whether something is being written, or is between two steps of being written. */
export class DiskChannel extends AgentChannel {
  private underWay = 0;
  private readonly open = new Set<string>();
  private idle: (() => void)[] = [];
  private giveBack: (buffer: ArrayBuffer) => void = () => undefined;

  override async request(
    op: string,
    fields: Readonly<Record<string, unknown>> = {},
    options: RequestOptions = {},
  ): Promise<Reply> {
    this.underWay++;
    try {
      const reply = await super.request(op, fields, options);
      const kind = begins[op];
      if (kind !== undefined) {
        this.open.add(keyOf(kind, reply.ok));
      }
      return reply;
    } finally {
      this.underWay--;
      const kind = ends[op];
      if (kind !== undefined) {
        this.open.delete(keyOf(kind, fields));
      }
      this.notifyIdle();
    }
  }

  /** Where buffers go that the worker can fill again. */
  onRelease(giveBack: (buffer: ArrayBuffer) => void): void {
    this.giveBack = giveBack;
  }

  override release({ buffer, byteOffset }: Buffer): void {
    // The agent fills its buffers from their start; anything else is a part of what came with other things.
    if (buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === spareBytes) {
      this.giveBack(buffer);
    }
  }

  /** Resolves when nothing is under way; false when that takes longer. */
  async quiet(timeoutMs: number): Promise<boolean> {
    if (this.isQuiet) {
      return true;
    }
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<boolean>((resolve) => {
      this.idle.push(() => resolve(true));
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    try {
      return await waited;
    } finally {
      clearTimeout(timer);
    }
  }

  private get isQuiet(): boolean {
    return !this.isOpen || (this.underWay === 0 && this.open.size === 0);
  }

  private notifyIdle(): void {
    if (this.isQuiet) {
      for (const resolve of this.idle.splice(0)) {
        resolve();
      }
    }
  }
}

function keyOf(kind: string, { stage, handle }: Readonly<Record<string, unknown>>): string {
  return `${kind} ${String(kind === 'stage' ? stage : handle)}`;
}

/** Notices a worker that no longer does anything. */
class Watchdog {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly timeouts: WorkerTimeouts,
    private readonly ping: () => void,
    private readonly bite: () => void,
  ) {}

  asked(): void {
    this.timer ??= setTimeout(() => {
      this.ping();
      this.timer = setTimeout(this.bite, this.timeouts.pingMs);
    }, this.timeouts.silentMs);
  }

  /** `busy`: more is to come. */
  heard(busy: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (busy) {
      this.asked();
    }
  }
}

function isBytes(message: FromWorker): message is Uint8Array {
  return message instanceof Uint8Array;
}

export class DiskWorker {
  readonly channel: DiskChannel;
  /** When it has ended well: what of the image may become holes. */
  released: readonly Range[] = [];
  private readonly worker: Worker;
  private readonly exited: Promise<void>;
  private failure: BerthError | undefined;

  constructor(
    private readonly volume: string,
    image: { path: string; isReadOnly?: boolean; isRootDisk?: boolean },
    limits: WorkerTimeouts = timeouts,
  ) {
    this.worker = new Worker(diskWorkerFile(), {
      workerData: { image: image.path, isReadOnly: image.isReadOnly, isRootDisk: image.isRootDisk },
      resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
    });
    const output = new Readable({ read: () => undefined });
    const watchdog = new Watchdog(
      limits,
      () => this.worker.postMessage('ping'),
      () => this.lost(output, 'the disk could not be read: its reader hung, and was ended'),
    );
    this.channel = new DiskChannel(this.input(watchdog), output);
    this.channel.onRelease((buffer) => this.worker.postMessage(buffer, [buffer]));
    this.exited = new Promise((resolve) => this.worker.once('exit', () => resolve()));
    this.worker.on('message', (message: FromWorker) => {
      if (isBytes(message)) {
        watchdog.heard(false);
        output.push(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
      } else if ('busy' in message) {
        watchdog.heard(message.busy > 0);
      } else if ('released' in message) {
        this.released = message.released;
      } else {
        this.failure = agentError({ ...message.failed, path: volume });
      }
    });
    this.worker.once('error', (error) => this.lost(output, `the reader of the disk broke: ${error.message}`));
    this.worker.once('exit', () => {
      watchdog.heard(false);
      output.destroy();
    });
    watchdog.asked();
    // It must not keep a process alive that has nothing else to do.
    this.worker.unref();
  }

  /** Resolves when the image is open. Throws what kept it from being opened. */
  async start(): Promise<void> {
    try {
      await this.channel.start(Buffer.alloc(0));
    } catch (error) {
      // One that hangs in the kernel ends when the kernel lets it.
      void this.worker.terminate();
      throw this.failure ?? error;
    }
  }

  /** Lets it finish and tidy up; ends it when that takes too long. */
  async end(): Promise<void> {
    this.channel.end();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        void this.worker.terminate();
        resolve();
      }, endMs);
    });
    await Promise.race([this.exited, late]);
    clearTimeout(timer);
  }

  private input(watchdog: Watchdog): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (chunk.length > 0) {
          this.post(chunk);
          watchdog.asked();
        }
        done();
      },
      final: (done) => {
        this.worker.postMessage('end');
        done();
      },
    });
  }

  /** A small part of a large buffer is copied by itself: sending it would copy all of the large one. */
  private post(chunk: Buffer): void {
    const isMostly = chunk.byteLength * 2 > chunk.buffer.byteLength;
    this.worker.postMessage(isMostly ? chunk : Uint8Array.prototype.slice.call(chunk));
  }

  private lost(output: Readable, why: string): void {
    output.destroy(new Error(`${why} (${this.volume})`));
    void this.worker.terminate();
  }
}
