/**
 * The end of the server, in order: no client comes any more, whoever has just come is refused in a way that sends it to
 * the next engine, and what is about to be answered is answered.
 */
import { rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BerthError } from '../../api/errors';
import { endingHeader } from '../../api/rules/ending';
import { becomes } from '../machine/wait';

const pollMs = 5;
/** For requests that are on their way over a connection which has been used before. */
const quietMs = 30;
/** For those who have connected and not asked yet, and for short answers. */
const timeoutMs = 1_000;

/** To be called before any other hook is added: what is refused must have no effect. */
export function closeInOrder(server: FastifyInstance): void {
  /** Who has connected, and has not asked for anything. */
  const silent = new Set<Socket>();
  const answers = new Set<ServerResponse>();
  let isEnding = false;

  server.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.addHook('onRequest', (request, reply, done) => {
    silent.delete(request.raw.socket);
    if (isEnding) {
      refuse(reply);
      return;
    }
    if (isShort(request)) {
      answers.add(reply.raw);
      reply.raw.once('close', () => answers.delete(reply.raw));
    }
    done();
  });
  server.addHook('preClose', async () => {
    isEnding = true;
    const address = server.server.address();
    // Who has connected is taken in all the same; who comes later finds nobody, and starts an engine.
    if (typeof address === 'string' && process.platform !== 'win32') {
      await rm(address, { force: true });
    }
    await sleep(quietMs);
    const isAwaited = (): boolean => silent.size > 0 || [...answers].some(isOwed);
    await becomes(() => !isAwaited(), { what: 'the last answers', timeoutMs, intervalMs: pollMs });
  });
}

/** Not begun, or written and on its way; a stream that has begun goes on for nobody knows how long. */
function isOwed({ headersSent, writableEnded, writableFinished }: ServerResponse): boolean {
  return headersSent ? writableEnded && !writableFinished : true;
}

/** Answered soon: no connection that stays, and nothing that waits for an operation. */
function isShort({ ws, query }: FastifyRequest): boolean {
  return !ws && !(typeof query === 'object' && query !== null && 'wait' in query);
}

function refuse(reply: FastifyReply): void {
  const error = new BerthError('runtime_unavailable', 'The Berth engine is ending.', {
    hint: 'The next command starts it again.',
  });
  void reply
    .status(error.status)
    .headers({ [endingHeader]: 'true', connection: 'close' })
    .send({ error: error.toBody() });
}
