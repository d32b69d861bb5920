/** HTTP over the engine's socket: one keep-alive agent, errors turned into `BerthError`s. */
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { endingHeader } from '../api/rules/ending';
import { BerthError, fromErrorBody, parseErrorBody, type ErrorCode } from '../api/errors';

export interface HttpRequest {
  method: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer | Readable;
  signal?: AbortSignal;
  /** For answers that stay open: a connection outside the pool, so that long ones never starve short ones. */
  ownConnection?: boolean;
}

const isNobody = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED']);
const unreachable = new Set([...isNobody, 'EPIPE', 'ECONNRESET']);

/** The engine can't be reached: not started yet, or gone. */
export class EngineUnreachable extends BerthError {
  constructor(
    cause: unknown,
    /** Nothing of the request was done: it may be sent to another engine. */
    readonly isUntouched = false,
  ) {
    super('runtime_unavailable', 'The Berth engine does not answer.', {
      hint: 'The next command starts it; `berth doctor` says more.',
      cause,
    });
  }
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A failure of the connection as an error for people; others as they are. */
export function wrapTransportError(error: unknown): unknown {
  const code = errnoOf(error);
  if (code === 'ABORT_ERR') {
    if (error instanceof Error && error.cause instanceof Error && error.cause.name === 'TimeoutError') {
      return new BerthError('timeout', 'The Berth engine did not answer in time.', {
        hint: 'If it hangs, end it: `berth down`, or *Restart Engine* in VS Code. engine.log in the state directory says what it did.',
      });
    }
    return new BerthError('cancelled', 'Cancelled.');
  }
  return code !== undefined && unreachable.has(code)
    ? new EngineUnreachable(error, wasNotRead(error, code))
    : error;
}

/**
 * Nobody listens; or the connection was closed with the request unread in it, which `unix(7)` answers a read with
 * ECONNRESET for, and a write with EPIPE. Who has read a request and ends makes Node say `socket hang up`, without a call.
 */
function wasNotRead(error: unknown, code: string): boolean {
  return isNobody.has(code) || (error instanceof Error && 'syscall' in error && error.syscall !== undefined);
}

export class Transport {
  private readonly agent: Agent;

  constructor(readonly socketPath: string) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 256, keepAliveMsecs: 30_000 });
  }

  /** Resolves with the answer's stream for 2xx; rejects with the engine's error for anything else. */
  async open(req: HttpRequest): Promise<IncomingMessage> {
    const response = await this.send(req);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) {
      return response;
    }
    throw await readRefusal(response);
  }

  async json(req: HttpRequest): Promise<unknown> {
    const response = await this.open(req);
    const text = (await readAll(response)).toString('utf8');
    return text === '' ? {} : JSON.parse(text);
  }

  dispose(): void {
    this.agent.destroy();
  }

  private send(req: HttpRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = {
        socketPath: this.socketPath,
        // For TLS alone: without it Node compiles two expressions, for 6 ms, to see whether the host is an IP address.
        servername: '',
        agent: req.ownConnection === true ? false : this.agent,
        method: req.method,
        path: req.path,
        headers: { host: 'berth', ...req.headers },
        ...(req.signal !== undefined && { signal: req.signal }),
      };
      const outgoing = request(options, resolve);
      outgoing.setNoDelay(true);
      outgoing.on('error', (error) => {
        reject(wrapTransportError(error));
      });
      const body = req.body;
      if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
        outgoing.end(body);
        return;
      }
      body.on('error', (error) => outgoing.destroy(error));
      // An upload that is refused half-way must not keep its file open.
      outgoing.once('close', () => body.destroy());
      body.pipe(outgoing);
    });
  }
}

/** All of a stream, in memory. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  }
  return Buffer.concat(chunks);
}

/** What a refused request was answered with; `EngineUnreachable` where the engine is ending. */
export async function readRefusal(response: IncomingMessage): Promise<BerthError> {
  const error = await readError(response, response.statusCode ?? 0);
  return endingHeader in response.headers ? new EngineUnreachable(error, true) : error;
}

async function readError(response: IncomingMessage, status: number): Promise<BerthError> {
  const text = (await readAll(response)).toString('utf8');
  try {
    const body = parseErrorBody(JSON.parse(text));
    if (body !== undefined) {
      return fromErrorBody(body);
    }
  } catch {
    // Not JSON: reported as it is below.
  }
  const code: ErrorCode = status === 404 ? 'not_found' : 'internal';
  return new BerthError(code, `The engine answered ${status}: ${text.slice(0, 500)}`);
}
