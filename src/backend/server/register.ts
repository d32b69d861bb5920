/** Registers handlers for the routes of the contract: validated, documented, answered as JSON. */
import type { FastifyInstance } from 'fastify';
import type { Principal } from '../../api/rules/principal';
import { paths, type RouteId } from '../../api/paths';
import {
  routes,
  type RouteAnswer,
  type RouteBody,
  type RouteParams,
  type RouteQuery,
  type RouteSchema,
} from '../../api/routes';
import { WrittenList } from '../../api/files/written-list';
import { runAs } from '../services/callers/caller';

export interface RouteInput<Id extends RouteId> {
  params: RouteParams<Id>;
  query: RouteQuery<Id>;
  body: RouteBody<Id>;
  /** Who calls: the route and the fields that name something have been held against it already. */
  principal: Principal;
  /** Fires when the client goes away before it has its answer. */
  signal: AbortSignal;
}

export type Handler<Id extends RouteId> = (
  input: RouteInput<Id>,
) => RouteAnswer<Id> | Promise<RouteAnswer<Id>>;
export type Handlers<Ids extends RouteId = RouteId> = { [Id in Ids]: Handler<Id> };

function schemaOf(route: RouteSchema) {
  return {
    summary: route.summary,
    tags: [route.tag],
    ...(route.params !== undefined && { params: route.params }),
    ...(route.query !== undefined && { querystring: route.query }),
    ...(route.body !== undefined && { body: route.body }),
    response: { 200: route.response },
  };
}

function bodyLimitOf({ maxBytes }: RouteSchema) {
  return maxBytes === undefined ? {} : { bodyLimit: maxBytes };
}

/** The types of a handler's input are those that its schemas have validated. */
function call<Id extends RouteId>(handler: Handler<Id>, input: RouteInput<RouteId>): unknown {
  return handler(input);
}

/** Registers all of them. Callers without the scope of a route get `forbidden`, bad input `bad_request`. */
export function registerHandlers(server: FastifyInstance, handlers: Handlers): void {
  for (const id of Object.keys(paths) as RouteId[]) {
    const [method, url] = paths[id];
    server.route({
      method,
      url,
      config: { scope: routes[id].scope },
      ...bodyLimitOf(routes[id]),
      schema: { operationId: id, ...schemaOf(routes[id]) },
      handler: async (request, reply) => {
        const abort = new AbortController();
        reply.raw.on('close', () => {
          if (!reply.raw.writableFinished) {
            abort.abort();
          }
        });
        const input = {
          params: request.params,
          query: request.query,
          body: request.body,
          principal: request.principal,
          signal: abort.signal,
        };
        const answer = await runAs(request.principal, () => call(handlers[id], input as RouteInput<RouteId>));
        if (answer instanceof WrittenList) {
          reply.type('application/json; charset=utf-8');
          return answer.toJsonBytes();
        }
        return answer;
      },
    });
  }
}
