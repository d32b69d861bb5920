/** The options of Fastify for a stream of the contract. */
import type { RouteShorthandOptions } from 'fastify';
import { streams, type StreamId, type StreamRoute } from '../../api/streams';

/** Its method, schemas and description. */
export function optionsOf(id: StreamId): RouteShorthandOptions {
  const { summary, tag, scope, params, query }: StreamRoute = streams[id];
  return {
    config: { scope },
    schema: {
      operationId: id,
      summary,
      tags: [tag],
      ...(params !== undefined && { params }),
      ...(query !== undefined && { querystring: query }),
    },
  };
}
