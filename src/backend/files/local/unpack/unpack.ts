/** The engine's side of unpacking a tar into a folder of this machine: a thread does it (unpacking.ts). */
import { BerthError } from '../../../../api/errors';
import { FactsApplier } from '../facts';
import { LocalThread } from '../thread';
import type { Renaming, UnpackAnswer, UnpackFailure, UnpackStep } from './messages';
import type { Report } from './unpacking';
import type { TakeChunk } from '../../../tar/flow';
import { asError } from '../../../machine/as-error';

export type { Renaming };
export type UnpackReport = Report;

/** What agents answer at a time, and a little more. */
const bufferSize = 1280 * 1024;
/** So much is worth a message. */
const sentSize = 512 * 1024;
const bufferCount = 3;

/** `folder` is empty; `renaming` says where an entry goes. */
export interface UnpackPlace {
  folder: string;
  renaming: Renaming;
}

export interface UnpackOptions {
  report: Report;
  signal: AbortSignal;
  /** One of its own otherwise, which ends with the unpacking. */
  thread?: LocalThread;
}

/** Gathers what comes into buffers that go to the thread, and come back. */
class Sending {
  files = 0;
  ended = false;
  private readonly buffers = Array.from({ length: bufferCount }, () => new SharedArrayBuffer(bufferSize));
  private readonly views = this.buffers.map((buffer) => Buffer.from(buffer));
  /** Those that the thread does not have. */
  private readonly free = [...this.buffers.keys()];
  /** Of the first of these. */
  private used = 0;
  private failure: Error | undefined;
  private readonly stop = new SharedArrayBuffer(4);
  /** Of chunks that the thread has, in their order. */
  private readonly answers: Promise<void>[] = [];

  constructor(
    private readonly thread: LocalThread,
    private readonly facts: FactsApplier,
    private readonly options: UnpackOptions,
  ) {
    options.signal.addEventListener('abort', this.stopNow);
  }

  /** What all that follows is about. */
  begin({ folder, renaming }: UnpackPlace): Promise<void> {
    return this.step({ begin: folder, renaming, buffers: this.buffers, stop: this.stop });
  }

  /** Answers a promise when the thread has to get on before more can be taken. Throws what went wrong so far. */
  take(chunk: Buffer): Promise<void> | undefined {
    this.check();
    let rest = chunk;
    while (rest.length > 0) {
      const buffer = this.room();
      if (buffer === undefined) {
        const later = rest;
        return this.answered().then(() => this.take(later));
      }
      const taken = rest.copy(buffer, this.used);
      this.used += taken;
      rest = rest.subarray(taken);
      if (this.used >= sentSize) {
        this.flush();
      }
    }
    return undefined;
  }

  /** Sends what was gathered, and waits for all of it. */
  async settle(): Promise<void> {
    this.flush();
    while (this.answers.length > 0) {
      await this.answered();
    }
    this.check();
  }

  async step(step: UnpackStep): Promise<void> {
    this.heard(await this.thread.run(step));
    this.check();
  }

  /** Waits until the thread has let go of the folder. */
  async abandon(): Promise<void> {
    this.stopNow();
    await Promise.allSettled([...this.answers, this.thread.run({ abandon: true }), this.facts.abandon()]);
  }

  /** Nobody hears of the signal through this any more. */
  close(): void {
    this.options.signal.removeEventListener('abort', this.stopNow);
  }

  /** Not when the thread comes to it, but in the middle of a step: that may be thousands of files. */
  private readonly stopNow = (): void => void Atomics.store(new Int32Array(this.stop), 0, 1);

  private check(): void {
    this.options.signal.throwIfAborted();
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }

  private room(): Buffer | undefined {
    return this.free[0] === undefined ? undefined : this.views[this.free[0]];
  }

  private flush(): void {
    const [chunk] = this.free;
    if (chunk === undefined || this.used === 0) {
      return;
    }
    this.free.shift();
    const answer = this.thread
      .run({ chunk, length: this.used })
      .then((said) => this.heard(said))
      .catch((error: unknown) => void (this.failure ??= asError(error)))
      .then(() => void this.answers.shift());
    this.used = 0;
    this.answers.push(answer);
  }

  private async answered(): Promise<void> {
    await this.answers[0];
    this.check();
  }

  private heard({
    chunk,
    received,
    current,
    failed,
    lost,
    facts,
    ended,
    files,
    failure,
  }: UnpackAnswer): void {
    if (chunk !== undefined) {
      this.free.push(chunk);
    }
    const { report, signal } = this.options;
    failed.forEach(([name, reason]) => report.failed(name, reason));
    lost.forEach(([name, attributes]) => report.lost(name, attributes));
    if (received > 0) {
      report.received(received, current);
    }
    if (facts !== undefined && !signal.aborted) {
      this.facts.add(facts);
    }
    this.ended = ended;
    this.files = files;
    this.failure ??= failure && errorOf(failure);
  }
}

function errorOf({ message, code, isFatal }: UnpackFailure): Error {
  return isFatal ? diskError(code ?? '', new Error(message)) : new Error(message);
}

/** The error for a disk that takes no more: `read_only`, else `no_space`. */
export function diskError(code: string, cause: unknown): BerthError {
  return code === 'EROFS'
    ? new BerthError('read_only', 'The folder on this machine is on a read-only disk.', { cause })
    : new BerthError('no_space', 'The disk of this machine is full.', {
        hint: 'Free some space, or choose a folder on another disk. What was copied so far was removed.',
        cause,
      });
}

/**
 * Unpacks into an empty folder what `receive` hands over; `renaming` says where an entry goes. Answers how many files
 * and links there are. When this throws, nothing writes to the folder any more.
 */
export async function unpackTar(
  receive: (take: TakeChunk) => Promise<void>,
  place: UnpackPlace,
  options: UnpackOptions,
): Promise<number> {
  const own = options.thread ?? new LocalThread();
  const facts = new FactsApplier(place.folder, options.signal);
  const sending = new Sending(own, facts, options);
  try {
    await sending.begin(place);
    await receive((chunk) => sending.take(chunk));
    await sending.settle();
    if (!sending.ended) {
      throw new BerthError('runtime_unavailable', 'The transfer broke off before its end.', {
        hint: 'Try again.',
      });
    }
    await sending.step({ finish: true });
    await sending.step({ seal: await facts.end() });
    return sending.files;
  } catch (error) {
    await sending.abandon();
    throw error;
  } finally {
    sending.close();
    if (options.thread === undefined) {
      own.end();
    }
  }
}
