/**
 * A client of QEMU's machine protocol (docs/interop/qmp-spec.txt of QEMU): JSON lines over a unix socket. QEMU serves
 * one client at a time; another one connects but is not greeted before the first has gone.
 */
import type { Socket } from 'node:net';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import { connectSocket, readLines, type ConnectOptions } from './line-socket';

/** Answers may hold whole device trees, never more than this. */
const maxLineChars = 16 * mebibyte;
const answerTimeoutMs = 30_000;

export interface QmpEvent {
  event: string;
  data: Readonly<Record<string, unknown>>;
}

/** What QEMU answered instead of a result; `kind` is its class, e.g. `DeviceNotFound`. */
export class QmpError extends Error {
  override readonly name = 'QmpError';
  constructor(
    readonly command: string,
    readonly kind: string,
    description: string,
  ) {
    super(description);
  }
}

interface Pending {
  command: string;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

type Message = Readonly<Record<string, unknown>>;

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export class QmpClient {
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Set<(event: QmpEvent) => void>();
  private greet: () => void = () => undefined;
  private hasEnded = false;
  private lastId = 0;

  private constructor(private readonly socket: Socket) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => this.end());
    socket.on('error', () => undefined);
    readLines(socket, maxLineChars, (line) => this.receive(line));
  }

  /** Connects, waits for the greeting and leaves negotiation behind. */
  static async connect(path: string, options: ConnectOptions): Promise<QmpClient> {
    const started = performance.now();
    const client = new QmpClient(await connectSocket(path, options));
    try {
      await client.greeting(path, Math.max(1000, options.timeoutMs - (performance.now() - started)));
      await client.execute('qmp_capabilities');
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return !this.hasEnded;
  }

  /** Throws `QmpError` when QEMU refuses, `runtime_unavailable` when the connection ends first. */
  execute(command: string, args?: object, timeoutMs = answerTimeoutMs): Promise<unknown> {
    if (this.hasEnded) {
      return Promise.reject(ended(command));
    }
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id);
        const message = `QEMU did not answer "${command}" within ${timeoutMs / 1000} s.`;
        reject(new BerthError('timeout', message));
      }, timeoutMs);
      const settle = <T>(end: (value: T) => void) => {
        return (value: T): void => {
          clearTimeout(timer);
          end(value);
        };
      };
      this.pending.set(id, { command, resolve: settle(resolve), reject: settle(reject) });
      const request = { execute: command, ...(args !== undefined && { arguments: args }), id };
      this.socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** A command of the human monitor, for what the protocol lacks: its text. */
  async human(commandLine: string): Promise<string> {
    const answer = await this.execute('human-monitor-command', { 'command-line': commandLine });
    return typeof answer === 'string' ? answer : '';
  }

  /** Calls back with every event until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    this.socket.destroy();
    this.end();
  }

  private async greeting(path: string, timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const message = `QEMU did not greet on ${path} within ${Math.ceil(timeoutMs / 1000)} s.`;
        reject(new BerthError('timeout', message, { hint: 'Another program may be connected to it.' }));
      }, timeoutMs);
    });
    const greeted = new Promise<void>((resolve) => (this.greet = resolve));
    const gone = this.closed.then(() => Promise.reject(ended('its greeting')));
    try {
      await Promise.race([greeted, late, gone]);
    } finally {
      clearTimeout(timer);
    }
  }

  private receive(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.socket.destroy();
      return;
    }
    if (!isMessage(message)) {
      return;
    }
    if ('QMP' in message) {
      this.greet();
    } else if (typeof message.event === 'string') {
      const event = { event: message.event, data: isMessage(message.data) ? message.data : {} };
      [...this.listeners].forEach((listener) => listener(event));
    } else if (typeof message.id === 'number') {
      this.answer(message.id, message);
    }
  }

  private answer(id: number, message: Message): void {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (pending === undefined) {
      return;
    }
    if ('return' in message) {
      pending.resolve(message.return);
      return;
    }
    const error = isMessage(message.error) ? message.error : {};
    const kind = typeof error.class === 'string' ? error.class : 'GenericError';
    const description = typeof error.desc === 'string' ? error.desc : 'unknown error';
    pending.reject(new QmpError(pending.command, kind, description));
  }

  private end(): void {
    this.hasEnded = true;
    this.listeners.clear();
    const pending = [...this.pending.values()];
    this.pending.clear();
    pending.forEach(({ command, reject }) => reject(ended(command)));
  }
}

function ended(command: string): BerthError {
  return new BerthError('runtime_unavailable', `QEMU ended before it answered "${command}".`);
}
