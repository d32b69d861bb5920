/** The thread that works with files of this machine for a transfer. */
import { Worker } from 'node:worker_threads';
import { workerFile } from '../../machine/worker-file';
import type { ReadAnswer, ReadJob } from './small/jobs';
import type { UnpackAnswer, UnpackStep } from './unpack/messages';

/** Enough for the names of some millions of files: a hostile tar ends its thread, and not the engine. */
const memoryMiB = 2048;

interface Asked {
  resolve: (answer: ReadAnswer | UnpackAnswer) => void;
  reject: (error: Error) => void;
}

/** Does what it is asked for in that order. */
export class LocalThread {
  private worker: Worker | undefined;
  private readonly asked: Asked[] = [];

  /** Starts it, if it does not run: that takes some tens of milliseconds beside other work. */
  start(): Worker {
    if (this.worker === undefined) {
      const worker = new Worker(workerFile(__dirname, 'local-files'), {
        resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
      });
      this.worker = worker;
      worker.on('message', (answer: ReadAnswer | UnpackAnswer) => this.heard(worker, answer));
      worker.on('error', (error) => this.failAll(worker, error));
      worker.once('exit', () => this.failAll(worker, new Error('the thread that copies files has ended')));
      // It must not keep a process alive that has nothing else to do. Listening for messages would make it do so again.
      worker.unref();
    }
    return this.worker;
  }

  /** Fails when the thread breaks, or is ended before it answers. */
  run(job: ReadJob): Promise<ReadAnswer>;
  run(job: UnpackStep): Promise<UnpackAnswer>;
  run(job: ReadJob | UnpackStep): Promise<ReadAnswer | UnpackAnswer> {
    const worker = this.start();
    return new Promise((resolve, reject) => {
      this.asked.push({ resolve, reject });
      worker.ref();
      worker.postMessage(job);
    });
  }

  /** Waits for nothing: whoever may have something under way waits for that first. */
  end(): void {
    void this.worker?.terminate();
    this.worker = undefined;
  }

  /** Whether it could be used again: it runs, and has answered all. */
  get isIdle(): boolean {
    return this.worker !== undefined && this.asked.length === 0;
  }

  private heard(worker: Worker, answer: ReadAnswer | UnpackAnswer): void {
    this.asked.shift()?.resolve(answer);
    if (this.asked.length === 0) {
      worker.unref();
    }
  }

  /** Of one that was ended and has been replaced, nobody is told. */
  private failAll(worker: Worker, error: Error): void {
    if (this.worker === worker) {
      this.worker = undefined;
    }
    if (this.worker === undefined) {
      for (const { reject } of this.asked.splice(0)) {
        reject(error);
      }
    }
  }
}

/** A thread that has done its work waits a while for more: V8 has compiled by then what ten thousand files need. */
export class LocalThreads {
  private idle: LocalThread | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly idleMs = 30_000) {}

  /** A thread that runs for the time of a call, which leaves nothing under way in it. */
  async use<T>(run: (thread: LocalThread) => Promise<T>): Promise<T> {
    const thread = this.idle ?? new LocalThread();
    this.idle = undefined;
    clearTimeout(this.timer);
    thread.start();
    try {
      return await run(thread);
    } finally {
      this.giveBack(thread);
    }
  }

  private giveBack(thread: LocalThread): void {
    if (this.idle !== undefined || !thread.isIdle) {
      thread.end();
      return;
    }
    this.idle = thread;
    this.timer = setTimeout(() => {
      thread.end();
      this.idle = undefined;
    }, this.idleMs).unref();
  }
}
