/**
 * The two archive calls straight on the engine's socket, for volumes of bytes: a client library makes a new buffer for
 * each of the fifty thousand chunks of a gigabyte; here one buffer is read into over and over.
 */
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { TakeChunk, TarSource } from '../../../tar/flow';
import { asError } from '../../../machine/as-error';

const bufferSize = 256 * 1024;
const maxHead = 64 * 1024;
/** No byte in either direction for so long: the engine hangs. It may take a while to write what it was sent. */
const silenceMs = 600_000;
const silence = `the engine neither took nor sent a byte in ${silenceMs / 60_000} minutes`;
/** Chunks that are on their way at once. */
const inFlight = 2;

/** An answer that is not 200, as dockerode reports it. */
class SocketError extends Error {
  constructor(
    readonly statusCode: number,
    body: string,
  ) {
    super(messageIn(body));
  }
}

function messageIn(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      return String(parsed.message);
    }
  } catch {
    // not JSON: as it is
  }
  return body.trim();
}

/** Parts the head of an answer from what follows. */
class Answer {
  status = 0;
  private head = Buffer.alloc(0);
  private error = '';

  constructor(private readonly take: TakeChunk) {}

  push(chunk: Buffer): Promise<void> | undefined {
    if (this.status !== 0) {
      return this.body(chunk);
    }
    this.head = Buffer.concat([this.head, chunk]);
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.head.length > maxHead) {
        throw new Error('the engine answered something that is not HTTP');
      }
      return undefined;
    }
    this.status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(this.head.toString('latin1', 0, end))?.[1] ?? 0);
    const rest = this.head.subarray(end + 4);
    return rest.length > 0 ? this.body(rest) : undefined;
  }

  finish(): void {
    if (this.status !== 200) {
      throw new SocketError(this.status, this.error || 'the engine closed the connection');
    }
  }

  private body(chunk: Buffer): Promise<void> | undefined {
    if (this.status === 200) {
      return this.take(chunk);
    }
    this.error += chunk.toString();
    return undefined;
  }
}

/** GET in HTTP/1.0: the body comes as it is, until the end. */
export function rawGet(
  socketPath: string,
  path: string,
  take: TakeChunk,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const answer = new Answer(take);
    let busy: Promise<void> = Promise.resolve();
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(asError(error));
    };
    const received = (length: number, buffer: Uint8Array): boolean => {
      try {
        const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, length);
        const wait = answer.push(chunk);
        if (wait === undefined) {
          return true;
        }
        busy = wait.then(() => void socket.resume());
        busy.catch(fail);
      } catch (error) {
        fail(error);
      }
      return false;
    };
    const buffer = Buffer.allocUnsafeSlow(bufferSize);
    const socket = connect({ path: socketPath, onread: { buffer, callback: received } });
    const abort = (): void => fail(new Error('cancelled'));
    signal?.addEventListener('abort', abort, { once: true });
    socket.setTimeout(silenceMs, () => fail(new Error(silence)));
    socket.once('error', fail);
    socket.once('close', () => {
      signal?.removeEventListener('abort', abort);
      busy.then(() => answer.finish()).then(resolve, fail);
    });
    socket.write(`GET ${path} HTTP/1.0\r\nHost: docker\r\n\r\n`);
  });
}

function write(upload: ClientRequest, chunk: Buffer, source: TarSource): Promise<void> {
  return new Promise((resolve, reject) => {
    upload.write(chunk, (error) => {
      source.release(chunk);
      if (error) {
        reject(error);
      } else {
        resolve();
      }
    });
  });
}

async function send(upload: ClientRequest, source: TarSource): Promise<void> {
  const sent: Promise<void>[] = [];
  for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) {
    const writing = write(upload, chunk, source);
    // It may fail while the next chunk is waited for: who waits for it comes later.
    writing.catch(() => undefined);
    sent.push(writing);
    if (sent.length >= inFlight) {
      await sent.shift();
    }
  }
  await Promise.all(sent);
  upload.end();
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of answer) {
    body += String(chunk);
  }
  return body;
}

/** PUT; an answer that comes before all was sent is the one that counts. */
export async function rawPut(
  socketPath: string,
  path: string,
  source: TarSource,
  signal?: AbortSignal,
): Promise<void> {
  const headers = { 'Content-Type': 'application/x-tar' };
  const upload = request({ socketPath, method: 'PUT', path, headers, ...(signal && { signal }) });
  upload.setTimeout(silenceMs, () => upload.destroy(new Error(silence)));
  const answered = once(upload, 'response').then(async ([answer]: IncomingMessage[]) => {
    const body = answer === undefined ? '' : await bodyOf(answer);
    if (answer?.statusCode !== 200) {
      throw new SocketError(answer?.statusCode ?? 0, body);
    }
  });
  answered.catch(() => undefined);
  try {
    await Promise.race([send(upload, source), answered]);
    await answered;
  } catch (error) {
    upload.destroy();
    throw error;
  } finally {
    await source.close();
  }
}
