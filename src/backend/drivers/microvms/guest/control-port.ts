/**
 * The line that the guest's init is led by: a port of the machine, at our end a unix socket. It outlives engines:
 * whoever connects goes on where the last one was cut off, and hears what was meant for that one. Hence every request
 * has an id, and every answer begins with it.
 *
 *     configure ID BYTES, and so many bytes of tar     said ID TEXT, any number; ready ID, or failed ID REASON
 *     ssh ID                                           ready ID, or failed ID REASON; later ended ID
 *     alive ID                                         ready ID
 *     sync ID                                          ready ID, once all that was written is on the disks
 *     time ID SECONDS                                  -
 *     poweroff ID                                      -
 *
 * The guest says `waiting 1` by itself, when it can be configured.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { BerthError } from '../../../../api/errors';
import { kibibyte, mebibyte } from '../../../../api/rules/sizes';
import { throwIfCancelled } from '../../../machine/wait';
import { FloodGuard } from './flood-guard';
import { connectSocket, readLines } from '../qemu/line-socket';

const maxLineChars = 64 * kibibyte;
const connectTimeoutMs = 10_000;
const sshTimeoutMs = 30_000;
const idBytes = 4;
/** Answers are a few lines; a guest that says more than this is not ours any more. */
const floodLimits = { burstBytes: mebibyte, bytesPerSecond: 16 * kibibyte };
/** Of what it says of one request, and of the last line that is quoted. */
const keptOutputChars = 200;
const quotedChars = 200;

interface Expectation {
  /** Answers undefined for a line that is none of its business. */
  take: (line: string) => 'done' | Error | undefined;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class ControlPort {
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  private readonly expected: Expectation[] = [];
  private last = '';
  private isWaiting = false;
  private hasEnded = false;
  private hasFlooded = false;
  /** The last who was asked to serve SSH. */
  private served: { id: string; end: () => void } | undefined;

  private constructor(private readonly socket: Socket) {
    const guard = new FloodGuard(floodLimits);
    socket.on('data', (chunk: Buffer) => {
      if (!guard.take(chunk.length)) {
        this.hasFlooded = true;
        socket.destroy();
      }
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => this.end());
    socket.on('error', () => undefined);
    readLines(socket, maxLineChars, (line) => this.receive(line));
  }

  static async connect(path: string, hopeless?: () => string | undefined): Promise<ControlPort> {
    return new ControlPort(
      await connectSocket(path, { timeoutMs: connectTimeoutMs, ...(hopeless !== undefined && { hopeless }) }),
    );
  }

  get isOpen(): boolean {
    return !this.hasEnded;
  }

  /** It was closed as the guest said more than the engine listens to. */
  get wasFlooded(): boolean {
    return this.hasFlooded;
  }

  /** Waits until the guest has booted as far as it can without knowing whose it is. */
  async waiting(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.isWaiting) {
      await this.expect('the guest to boot', ofWaiting, timeoutMs, signal);
    }
  }

  /**
   * Hands over what makes the guest a workspace, and waits until its sshd listens. Answers what the guest has to say
   * of it, line by line.
   */
  async configure(archive: Buffer, timeoutMs: number, signal: AbortSignal): Promise<readonly string[]> {
    const id = newId();
    const said: string[] = [];
    const what = 'the guest to take its configuration';
    const answer = this.expect(what, answerTo(id, said), timeoutMs, signal);
    this.socket.write(`configure ${id} ${archive.length}\n`);
    this.socket.write(archive);
    await answer;
    return said;
  }

  /** Has the guest serve SSH on the other port. `ended` resolves when whoever did so is gone. */
  async serveSsh(timeoutMs = sshTimeoutMs, signal?: AbortSignal): Promise<{ ended: Promise<void> }> {
    const id = newId();
    const ended = new Promise<void>((end) => (this.served = { id, end }));
    await this.ask('ssh', 'the guest to serve SSH to the engine', timeoutMs, signal, id);
    return { ended };
  }

  /** Waits for a sign of life: one that was restored from a damaged state gives none. */
  async alive(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    await this.ask('alive', 'the guest to answer', timeoutMs, signal);
  }

  /** Has the guest write to its disks what it has in memory of them. */
  async sync(timeoutMs: number): Promise<void> {
    await this.ask('sync', 'the guest to write to its disks', timeoutMs);
  }

  /** After a time of standing still: the guest's clock is ours. */
  setTime(milliseconds: number): void {
    const seconds = Math.floor(milliseconds / 1000);
    const nanoseconds = Math.round((milliseconds - seconds * 1000) * 1e6);
    this.socket.write(`time ${newId()} ${seconds}.${String(nanoseconds).padStart(9, '0')}\n`);
  }

  /** For what has no power button, or does not heed it. */
  powerOff(): void {
    this.socket.write(`poweroff ${newId()}\n`);
  }

  close(): void {
    this.socket.destroy();
    this.end();
  }

  private async ask(
    verb: string,
    what: string,
    timeoutMs: number,
    signal?: AbortSignal,
    id = newId(),
  ): Promise<void> {
    const answer = this.expect(what, answerTo(id, []), timeoutMs, signal);
    this.socket.write(`${verb} ${id}\n`);
    await answer;
  }

  private async expect(
    what: string,
    take: Expectation['take'],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<void> {
    throwIfCancelled(signal, what);
    if (this.hasEnded) {
      throw this.ending();
    }
    let release = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const expectation = { take, resolve, reject };
        this.expected.push(expectation);
        const cancel = (): void => reject(new BerthError('cancelled', `Cancelled: ${what}.`));
        const timer = setTimeout(() => reject(late(what, timeoutMs, this.last)), timeoutMs);
        signal?.addEventListener('abort', cancel, { once: true });
        release = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', cancel);
          this.expected.splice(this.expected.indexOf(expectation), 1);
        };
      });
    } finally {
      release();
    }
  }

  private receive(line: string): void {
    if (this.hasFlooded) {
      return;
    }
    this.last = line.slice(0, quotedChars);
    this.isWaiting ||= ofWaiting(line) === 'done';
    if (this.served !== undefined && line === `ended ${this.served.id}`) {
      this.served.end();
      return;
    }
    for (const { take, resolve, reject } of [...this.expected]) {
      const outcome = take(line);
      if (outcome !== undefined) {
        if (outcome === 'done') {
          resolve();
        } else {
          reject(outcome);
        }
        return;
      }
    }
  }

  private end(): void {
    this.hasEnded = true;
    this.expected.forEach(({ reject }) => reject(this.ending()));
  }

  private ending(): BerthError {
    return this.hasFlooded ? flooded() : ended();
  }
}

const newId = (): string => randomBytes(idBytes).toString('hex');

function ofWaiting(line: string): 'done' | undefined {
  return line.startsWith('waiting ') ? 'done' : undefined;
}

/** What is said on the way is added to `said`. */
function answerTo(id: string, said: string[]): Expectation['take'] {
  return (line) => {
    const [, word, to, text = ''] = /^(\S+) (\S+) ?(.*)$/.exec(line) ?? [];
    if (to !== id) {
      return undefined;
    }
    if (word === 'said' && said.length < keptOutputChars) {
      said.push(text.slice(0, quotedChars));
    }
    return word === 'ready' ? 'done' : word === 'failed' ? refused(text) : undefined;
  };
}

function refused(reason: string): BerthError {
  // The guest is up, and the engine has not said yet what it is to be.
  if (reason === 'not configured yet') {
    return new BerthError(
      'illegal_state',
      'The microVM is being started: nothing can be reached in it now.',
      {
        hint: 'Wait until that is done.',
      },
    );
  }
  return /no space left/i.test(reason)
    ? new BerthError('no_space', `The guest could not be set up, because a disk of it is full: ${reason}`, {
        first: 'Delete files from its home volume, or grow it.',
        remedy: 'start',
      })
    : new BerthError('internal', `The guest could not be set up: ${reason}`, {
        hint: 'Its log may say more; if starting again does not help, rebuild it.',
      });
}

function late(what: string, timeoutMs: number, last: string): BerthError {
  const seen = last === '' ? '' : ` Last seen: ${last}`;
  return new BerthError('timeout', `Timed out after ${timeoutMs / 1000} s waiting for ${what}.${seen}`);
}

/** Why the engine does not listen to a guest any more. */
export function flooded(): BerthError {
  return new BerthError('illegal_state', 'Its guest floods the line to the engine, which was closed.', {
    first: 'Something inside does so, as root.',
    remedy: 'restart',
  });
}

function ended(): BerthError {
  return new BerthError('runtime_unavailable', 'The virtual machine ended.', {
    hint: 'Its log says why: `berth logs` with its name.',
  });
}
