/**
 * A process in a workspace with its streams, over one WebSocket on the engine's socket (`streamPaths.attach`).
 * Binary messages are input one way; the other way their first byte says 1 = stdout, 2 = stderr.
 */
import { createConnection } from 'node:net';
import WebSocket from 'ws';
import { BerthError, isErrorCode } from '../api/errors';
import { fillPath, streamPaths, type AttachControl, type AttachRequest } from '../api/paths';
import { EngineUnreachable } from './transport';

export interface AttachListener {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
  /** Once: the exit code, or the error that ended it early. */
  ended(result: { exitCode: number } | { error: BerthError }): void;
}

const startTimeoutMs = 30_000;
const stderrStream = 2;

export class AttachSession {
  private done = false;

  private constructor(
    private readonly socket: WebSocket,
    private readonly listener: AttachListener,
  ) {}

  /** Resolves when the process runs. */
  static open(
    engineSocket: string,
    workspace: string,
    request: AttachRequest,
    listener: AttachListener,
  ): Promise<AttachSession> {
    const socket = new WebSocket(`ws://berth${fillPath(streamPaths.attach, { name: workspace })}`, {
      createConnection: () => createConnection(engineSocket),
      perMessageDeflate: false,
      handshakeTimeout: startTimeoutMs,
    });
    const session = new AttachSession(socket, listener);
    return session.start(request);
  }

  write(chunk: Buffer | string): void {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, { binary: true });
    }
  }

  /** Bytes accepted by `write` and not sent yet: slow down when this grows. */
  get backlog(): number {
    return this.socket.bufferedAmount;
  }

  endOfInput(): void {
    this.control({ type: 'end-of-input' });
  }

  resize(cols: number, rows: number): void {
    this.control({ type: 'resize', cols, rows });
  }

  /** Ends the process when it still runs. */
  close(): void {
    this.done = true;
    this.socket.close();
  }

  private control(message: AttachControl): void {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
    }
  }

  private start(request: AttachRequest): Promise<AttachSession> {
    return new Promise((resolve, reject) => {
      this.socket.on('open', () => this.socket.send(JSON.stringify(request)));
      this.socket.on('message', (content: Buffer, isBinary: boolean) => {
        if (isBinary) {
          this.output(content);
          return;
        }
        const message = JSON.parse(content.toString('utf8')) as AttachControl;
        if (message.type === 'started') {
          resolve(this);
        } else if (message.type === 'exit') {
          this.finish({ exitCode: message.exitCode });
        } else if (message.type === 'error') {
          const code = isErrorCode(message.error.code) ? message.error.code : 'internal';
          const error = new BerthError(code, message.error.message, message.error);
          reject(error);
          this.finish({ error });
        }
      });
      const lost = (cause: unknown) => {
        const error = new EngineUnreachable(cause);
        reject(error);
        this.finish({ error });
      };
      this.socket.on('error', lost);
      this.socket.on('close', () => lost(new Error('The engine closed the connection.')));
    });
  }

  private output(content: Buffer): void {
    const chunk = content.subarray(1);
    if (content[0] === stderrStream) {
      this.listener.stderr(chunk);
    } else {
      this.listener.stdout(chunk);
    }
  }

  private finish(result: { exitCode: number } | { error: BerthError }): void {
    if (!this.done) {
      this.done = true;
      this.listener.ended(result);
      this.socket.close();
    }
  }
}
