/** Bytes that come with a request, and that are an answer. */
import { pipeline } from 'node:stream/promises';
import { PassThrough, Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BerthError } from '../../api/errors';

const contentBuffer = 256 * 1024;

/** Errors before the first byte are answered as JSON; later ones cut the connection. */
export async function sendStream(
  reply: FastifyReply,
  stream: Readable,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': contentType, ...headers });
  if (Object.keys(headers).length > 0) {
    // The first byte may be long in coming.
    reply.raw.flushHeaders();
  }
  try {
    await pipeline(stream, reply.raw);
  } catch {
    reply.raw.destroy();
  }
}

/**
 * Whoever refuses content destroys its stream, and with the request the connection, before it is said why. So it gets a
 * stream of its own, and what it leaves is read past: the client has its answer, and ends sending. `cutOff` fires when
 * the client ends before. Throws `bad_request` for a request without content.
 */
export async function withContent<T>(
  { body, raw }: FastifyRequest,
  use: (content: Readable, cutOff: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!(body instanceof Readable)) {
    throw new BerthError('bad_request', 'There is no content.', {
      hint: 'Send it as application/octet-stream.',
    });
  }
  const abort = new AbortController();
  raw.once('close', () => {
    if (!raw.complete) {
      abort.abort();
    }
  });
  const content = new PassThrough({ highWaterMark: contentBuffer });
  const cutOff = (): void => {
    if (!body.readableEnded) {
      content.destroy(new BerthError('gone', 'The content was cut off.'));
    }
  };
  content.on('error', () => undefined);
  body.once('error', cutOff).once('close', cutOff);
  body.pipe(content);
  try {
    return await use(content, abort.signal);
  } finally {
    body.off('close', cutOff).unpipe(content);
    body.resume();
  }
}
