/** Workspaces as files, out and in. */
import type { FastifyInstance } from 'fastify';
import { streams, type StreamParams, type StreamQuery } from '../../api/streams';
import { operationHeader } from '../../api/workspaces/export';
import { runAs } from '../services/callers/caller';
import { sendStream, withContent } from './content';
import { goneSignal } from './gone-signal';
import type { Services } from './services';
import { optionsOf } from './stream-options';

/** Registers both. */
export function registerExport(server: FastifyInstance, { exports, imports }: Services): void {
  server.get<{
    Params: StreamParams<'workspaces.export'>;
    Querystring: StreamQuery<'workspaces.export'>;
  }>(
    streams['workspaces.export'].path,
    optionsOf('workspaces.export'),
    async ({ principal, params, query }, reply) => {
      const { operation, content } = runAs(principal, () => exports.export(params.name, query));
      const headers = { [operationHeader]: operation.id };
      await sendStream(reply, content, 'application/octet-stream', headers);
    },
  );
  server.put<{ Querystring: StreamQuery<'workspaces.import'> }>(
    streams['workspaces.import'].path,
    optionsOf('workspaces.import'),
    (request, reply) =>
      withContent(request, (content, cutOff) => {
        const signal = AbortSignal.any([cutOff, goneSignal(reply)]);
        return runAs(request.principal, () => imports.import(content, request.query, signal));
      }),
  );
}
