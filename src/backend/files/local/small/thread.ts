/** The thread for small files of this machine. */
import { Worker } from 'node:worker_threads';
import { workerFile } from '../../disk/worker-file';
import type { Answer, Job } from './jobs';

/** So many files of one transfer are worth a thread. */
export const enough = 200;
/** What is larger is no faster by one. */
export const smallSize = 128 * 1024;

interface Asked {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/** Does jobs one after the other; begins with the first. */
export class SmallFilesThread {
  private worker: Worker | undefined;
  private readonly asked: Asked[] = [];

  /** Fails when the thread breaks, or is ended before it answers. `transfer`: what is the thread's from now on. */
  run(job: Job, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    const worker = (this.worker ??= this.start());
    return new Promise((resolve, reject) => {
      this.asked.push({ resolve, reject });
      worker.postMessage(job, transfer);
    });
  }

  /** Waits for nothing: whoever may have something under way waits for that first. */
  end(): void {
    void this.worker?.terminate();
    this.worker = undefined;
  }

  private start(): Worker {
    const worker = new Worker(workerFile(), { workerData: { smallFiles: true } });
    worker.on('message', (answer: Answer) => this.asked.shift()?.resolve(answer));
    worker.on('error', (error) => this.failAll(error));
    worker.once('exit', () => this.failAll(new Error('the thread that copies files has ended')));
    return worker;
  }

  private failAll(error: Error): void {
    for (const { reject } of this.asked.splice(0)) {
      reject(error);
    }
  }
}
