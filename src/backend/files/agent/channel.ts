/** Requests and answers over one stream to one agent; many may be under way at once. */
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../../../api/errors';
import { agentError, ChannelClosedError } from './errors';
import { encodeFrame, FrameReader, type Frame } from './frames';
import { changesLimit, headLimit, limitOf } from './limits';

const protocol = 1;
const helloTimeoutMs = 30_000;
/** For one answer; what may take longer passes its own. */
const answerTimeoutMs = 60_000;
/** A cancelled request that doesn't answer is given up. */
const cancelTimeoutMs = 10_000;

export interface Reply {
  ok: Record<string, unknown>;
  payload: Buffer;
}

export interface RequestOptions {
  payload?: Buffer;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Bytes done so far. */
  progress?: ((bytes: number) => void) | undefined;
  /** Rows of changes; goes on after the answer, until `forget`. */
  changes?: (rows: unknown) => void;
}

interface Pending {
  op: string;
  options: RequestOptions;
  resolve(reply: Reply): void;
  reject(error: BerthError): void;
}

export class AgentChannel {
  /** Resolves with the reason when the stream is over, whoever ended it. */
  readonly closed: Promise<string>;
  private readonly pending = new Map<number, Pending>();
  /** Bytes of the longest answer to each request that was not answered yet, also to one that was given up. */
  private readonly limits = new Map<number, number>();
  private readonly watchers = new Map<number, (rows: unknown) => void>();
  private readonly ready: Promise<void>;
  private greet: (frame: Frame) => void = () => undefined;
  private endedBecause: string | undefined;
  private reportClosed: (reason: string) => void = () => undefined;
  private lastId = 0;

  constructor(
    private readonly input: Writable,
    output: Readable,
  ) {
    this.closed = new Promise((resolve) => (this.reportClosed = resolve));
    this.ready = this.waitForHello();
    this.ready.catch(() => undefined);
    const reader = new FrameReader(
      (frame) => this.receive(frame),
      () => this.maxFrameBytes(),
    );
    output.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.fail(`the agent's answers can't be read: ${String(error)}`);
      }
    });
    output.on('end', () => this.fail('the agent ended'));
    output.on('close', () => this.fail('the agent ended'));
    output.on('error', (error) => this.fail(error.message));
    input.on('error', (error) => this.fail(error.message));
  }

  get isOpen(): boolean {
    return this.endedBecause === undefined;
  }

  /** Sends the agent's source, and waits until it runs. */
  async start(source: Buffer): Promise<void> {
    this.input.write(source);
    await this.ready;
  }

  /**
   * One question and its answer. Throws the agent's error, `cancelled`, and `ChannelClosedError` once the channel is
   * closed.
   */
  async request(
    op: string,
    fields: Readonly<Record<string, unknown>> = {},
    options: RequestOptions = {},
  ): Promise<Reply> {
    if (options.signal?.aborted === true) {
      throw new BerthError('cancelled', 'Cancelled.');
    }
    if (this.endedBecause !== undefined) {
      throw new ChannelClosedError(this.endedBecause);
    }
    const id = ++this.lastId;
    this.limits.set(id, limitOf(op, fields));
    const answer = this.answerOf(id, op, options);
    for (const part of encodeFrame({ id, op, ...fields }, options.payload)) {
      this.input.write(part);
    }
    return answer;
  }

  /** Says that nobody looks at the payload of an answer any more. */
  release(_payload: Buffer): void {
    // That of a process is the garbage collector's.
  }

  /** Stops listening to the changes of a watch. */
  forget(watch: number): void {
    this.watchers.delete(watch);
  }

  /** Ends the agent's input: it tidies up and goes. */
  end(): void {
    this.input.end();
    this.fail('it was closed');
  }

  private async answerOf(id: number, op: string, options: RequestOptions): Promise<Reply> {
    let timer: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      this.input.write(encodeFrame({ id, op: 'cancel' })[0]);
      clearTimeout(timer);
      timer = setTimeout(() => this.giveUp(id, 'cancelled', 'Cancelled.'), cancelTimeoutMs);
    };
    options.signal?.addEventListener('abort', cancel, { once: true });
    const timeoutMs = options.timeoutMs ?? answerTimeoutMs;
    timer = setTimeout(
      () => this.giveUp(id, 'timeout', `The volume's agent did not answer "${op}" in ${timeoutMs / 1000} s.`),
      timeoutMs,
    );
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.pending.set(id, { op, options, resolve, reject });
        if (options.changes !== undefined) {
          this.watchers.set(id, options.changes);
        }
      });
    } catch (error) {
      this.watchers.delete(id);
      throw error;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      this.pending.delete(id);
    }
  }

  private giveUp(id: number, code: 'timeout' | 'cancelled', message: string): void {
    this.pending.get(id)?.reject(new BerthError(code, message));
  }

  private receive(frame: Frame): void {
    const { id, ok, error, progress, changes } = frame.head;
    if (typeof id !== 'number') {
      this.greet(frame);
      return;
    }
    if (changes !== undefined) {
      this.watchers.get(id)?.(changes);
      return;
    }
    const pending = this.pending.get(id);
    if (typeof progress === 'number') {
      pending?.options.progress?.(progress);
      return;
    }
    this.limits.delete(id);
    if (typeof ok === 'object' && ok !== null) {
      pending?.resolve({ ok: { ...ok }, payload: frame.payload });
    } else {
      pending?.reject(agentError(error, pending.op));
    }
  }

  private maxFrameBytes(): number {
    return Math.max(headLimit, this.watchers.size > 0 ? changesLimit : 0, ...this.limits.values());
  }

  private waitForHello(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.fail(`the agent did not start in ${helloTimeoutMs / 1000} s`);
      }, helloTimeoutMs);
      void this.closed.then((reason) => {
        clearTimeout(timer);
        reject(new ChannelClosedError(reason));
      });
      this.greet = ({ head }) => {
        clearTimeout(timer);
        if (head.hello === protocol) {
          resolve();
        } else {
          this.fail(`it speaks protocol ${String(head.hello)} instead of ${protocol}`);
        }
      };
    });
  }

  private fail(reason: string): void {
    if (this.endedBecause !== undefined) {
      return;
    }
    this.endedBecause = reason;
    this.watchers.clear();
    this.limits.clear();
    this.reportClosed(reason);
    for (const pending of [...this.pending.values()]) {
      pending.reject(new ChannelClosedError(reason));
    }
  }
}
