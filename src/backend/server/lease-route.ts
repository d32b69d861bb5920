/** The lease of a temporary workspace: an answer that stays open for as long as its client is there. */
import type { FastifyInstance } from 'fastify';
import { BerthError } from '../../api/errors';
import { streams, type StreamParams } from '../../api/streams';
import type { Services } from './services';
import { openEventStream } from './sse';
import { optionsOf } from './stream-options';

/** Registers the route. It throws `bad_request` for a workspace that is not temporary. */
export function registerLease(server: FastifyInstance, { workspaces, leases }: Services): void {
  server.addHook('onListen', (done) => {
    leases.listen();
    done();
  });
  server.get<{ Params: StreamParams<'workspaces.lease'> }>(
    streams['workspaces.lease'].path,
    optionsOf('workspaces.lease'),
    (request, reply) => {
      const { name } = request.params;
      if (workspaces.get(name).temporary !== true) {
        throw new BerthError(
          'bad_request',
          `Workspace ${name} is not temporary: it stays until it is deleted.`,
        );
      }
      reply.hijack();
      const release = leases.hold(name);
      void openEventStream(reply.raw).closed.then(release);
    },
  );
}
