/** A process in a workspace, attached to over a WebSocket: a terminal, or a command with streams. */
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import { BerthError, asBerthError, isErrorCode } from '../api/errors';
import { fillPath, streamPaths, type AttachControl, type AttachRequest } from '../api/paths';
import { mebibyte } from '../api/rules/sizes';
import type { EngineClient } from './engine-client';
import { readRefusal, wrapTransportError } from './transport';

export interface AttachOptions {
  signal?: AbortSignal;
  /** How long the process may take to start. */
  startTimeoutMs?: number;
}

const stderrMark = 2;

/**
 * One attached process. `stdout` and `stderr` hold what came (nothing is lost before somebody listens) and
 * slow the process down when nobody reads; stderr stays empty with a tty. `exit` resolves after the last
 * output was put into the streams, or rejects with the reason why the process could not be followed to its end.
 */
export class AttachSession {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exit: Promise<number>;
  private resolveExit: (code: number) => void = () => undefined;
  private rejectExit: (error: BerthError) => void = () => undefined;
  private ended = false;

  constructor(private readonly socket: WebSocket) {
    const read = (): void => this.resumeReading();
    this.stdout = new Readable({ read });
    this.stderr = new Readable({ read });
    this.exit = new Promise((resolve, reject) => {
      this.resolveExit = resolve;
      this.rejectExit = reject;
    });
    // Who only reads the streams must not crash over an exit nobody asked for.
    this.exit.catch(() => undefined);
    socket.on('message', (message, isBinary) => this.receive(message, isBinary));
    socket.on('close', () => {
      this.fail(new BerthError('gone', 'The connection to the process was closed before it ended.'));
    });
    socket.on('error', (error) => this.fail(asBerthError(wrapTransportError(error))));
  }

  /** Input for the process; resolves when it was handed to the system, so that awaiting it slows a writer down. */
  write(chunk: Buffer | string): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    return new Promise((resolve) => {
      if (this.socket.readyState !== WebSocket.OPEN) {
        resolve();
        return;
      }
      // What can't be delivered belongs to a process that ended: `exit` tells.
      this.socket.send(bytes, { binary: true }, () => resolve());
    });
  }

  endOfInput(): void {
    this.control({ type: 'end-of-input' });
  }

  resize(cols: number, rows: number): void {
    this.control({ type: 'resize', cols, rows });
  }

  /** Lets go of the process: the engine ends it. `exit` rejects with the reason. */
  close(
    reason = new BerthError('cancelled', 'Detached from the process, which the engine then ends.'),
  ): void {
    this.fail(reason);
  }

  private control(message: AttachControl): void {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
    }
  }

  private receive(message: RawData, isBinary: boolean): void {
    const bytes = toBuffer(message);
    if (!isBinary) {
      this.obey(bytes);
      return;
    }
    const stream = bytes[0] === stderrMark ? this.stderr : this.stdout;
    if (!this.ended && !stream.push(bytes.subarray(1))) {
      this.socket.pause();
    }
  }

  private obey(bytes: Buffer): void {
    const message = parseControl(bytes);
    if (message.type === 'exit' && this.end()) {
      this.resolveExit(message.exitCode);
    } else if (message.type === 'error') {
      this.fail(controlError(message));
    }
  }

  private resumeReading(): void {
    if (this.socket.isPaused) {
      this.socket.resume();
    }
  }

  private fail(error: BerthError): void {
    if (this.end()) {
      this.rejectExit(error);
    }
  }

  /** Ends the streams and the connection; false when that was done before. */
  private end(): boolean {
    if (this.ended) {
      return false;
    }
    this.ended = true;
    this.stdout.push(null);
    this.stderr.push(null);
    this.resumeReading();
    this.socket.close();
    return true;
  }
}

/** Starts a process in a running workspace (without `argv`: the login shell) and attaches to it. */
export function attach(
  client: EngineClient,
  name: string,
  request: AttachRequest,
  options: AttachOptions = {},
): Promise<AttachSession> {
  return client.reach(() => attachOnce(client, name, request, options), options.signal);
}

async function attachOnce(
  client: EngineClient,
  name: string,
  request: AttachRequest,
  options: AttachOptions,
): Promise<AttachSession> {
  const socket = new WebSocket(localAddress(fillPath(streamPaths.attach, { name })), {
    createConnection: () => connect(client.socketPath),
    perMessageDeflate: false,
    maxPayload: 64 * mebibyte,
  });
  const session = new AttachSession(socket);
  const timeoutMs = options.startTimeoutMs ?? 60_000;
  const release = bound(socket, session, name, timeoutMs, options.signal);
  try {
    await started(socket, session, request);
    return session;
  } catch (error) {
    session.close();
    socket.terminate();
    throw error;
  } finally {
    release();
  }
}

/**
 * Named as on a local socket, or VS Code's proxy support would replace the connection by one of its own; which
 * socket it is, `createConnection` knows.
 */
const localAddress = (path: string): string => `ws+unix:/engine:${path}`;

/** Ends the attempt when it takes too long, and the session when the caller's signal fires. */
function bound(
  socket: WebSocket,
  session: AttachSession,
  name: string,
  timeoutMs: number,
  signal?: AbortSignal,
): () => void {
  const timer = setTimeout(() => {
    const what = socket.readyState === WebSocket.OPEN ? 'the process to start' : 'the engine to answer';
    session.close(
      new BerthError('timeout', `Timed out after ${timeoutMs / 1000} s in ${name} waiting for ${what}.`),
    );
  }, timeoutMs);
  const abort = (): void => session.close();
  if (signal?.aborted === true) {
    abort();
  }
  signal?.addEventListener('abort', abort, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', abort));
  return () => clearTimeout(timer);
}

/** Resolves when the engine says that the process runs. */
function started(socket: WebSocket, session: AttachSession, request: AttachRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => socket.send(JSON.stringify(request)));
    socket.on('message', function first(message, isBinary) {
      if (isBinary || ['started', 'exit'].includes(parseControl(toBuffer(message)).type)) {
        socket.off('message', first);
        resolve();
      }
    });
    socket.once('unexpected-response', (_, response) => {
      readRefusal(response).then(reject, reject);
    });
    session.exit.catch(reject);
  });
}

function toBuffer(message: RawData): Buffer {
  if (Buffer.isBuffer(message)) {
    return message;
  }
  return Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message);
}

function parseControl(bytes: Buffer): AttachControl {
  return JSON.parse(bytes.toString('utf8')) as AttachControl;
}

function controlError({ error }: Extract<AttachControl, { type: 'error' }>): BerthError {
  return new BerthError(isErrorCode(error.code) ? error.code : 'internal', error.message, error);
}
