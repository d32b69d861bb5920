import type { FastifyReply } from 'fastify';

/** Fires when the client goes away. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.once('close', () => abort.abort());
  if (reply.raw.destroyed) {
    abort.abort();
  }
  return abort.signal;
}
