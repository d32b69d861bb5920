/** The lease of a temporary workspace: an answer that stays open for as long as its client is there. */
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { BerthError } from '../../api/errors';
import { streamPaths } from '../../api/paths';
import { Name } from '../../api/schemas/common';
import type { Services } from './services';
import { openEventStream } from './sse';

const ByName = Type.Object({ name: Name });

export function registerLease(server: FastifyInstance, { workspaces, leases }: Services): void {
  server.addHook('onListen', (done) => {
    leases.listen();
    done();
  });
  server.get<{ Params: Static<typeof ByName> }>(
    streamPaths.lease,
    {
      schema: {
        operationId: 'workspaces.lease',
        summary: 'Keep a temporary workspace for as long as this answer is open',
        tags: ['workspaces'],
        params: ByName,
      },
    },
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
