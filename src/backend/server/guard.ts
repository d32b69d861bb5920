/**
 * Holds each request against what its route, and the fields in it, ask of their caller. A route that says nothing of it
 * can not be registered.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BerthError } from '../../api/errors';
import {
  markedValues,
  mayCall,
  owner,
  type MarkedValue,
  type Principal,
  type RouteScope,
} from '../../api/rules/principal';
import type { Visibility } from '../services/callers/visibility';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route asks of its caller. */
    scope?: RouteScope;
  }
  interface FastifyRequest {
    principal: Principal;
  }
}

/** Who sent a request; throws `unauthorized` for who can't say so. */
export type FindPrincipal = (request: FastifyRequest) => Principal;

/** Whoever can open the socket is its owner. */
export const ofSocket: FindPrincipal = () => owner;

/** Before any route is registered. */
export function guardRoutes(
  server: FastifyInstance,
  visibility: Visibility,
  principalOf: FindPrincipal,
): void {
  server.decorateRequest('principal');
  server.addHook('onRoute', ({ method, url, config }) => {
    if (config?.scope === undefined) {
      throw new Error(`The route ${String(method)} ${url} does not say who may call it.`);
    }
  });
  server.addHook('onRequest', (request, _reply, done) => {
    request.principal = principalOf(request);
    const { scope } = request.routeOptions.config;
    if (scope !== undefined && !mayCall(request.principal, scope)) {
      throw forbidden(
        scope === 'local'
          ? 'Only the user of this machine may do that, through the socket of the engine.'
          : `That needs a token of the scope "${scope}".`,
      );
    }
    check(request.principal, visibility, request.routeOptions.schema?.params, request.params);
    done();
  });
  server.addHook('preHandler', (request, _reply, done) => {
    const { schema } = request.routeOptions;
    check(request.principal, visibility, schema?.querystring, request.query);
    check(request.principal, visibility, schema?.body, request.body);
    done();
  });
}

/** Throws `forbidden` for what the caller may not name or say. */
function check(principal: Principal, visibility: Visibility, schema: unknown, value: unknown): void {
  if (principal.kind === 'owner') {
    return;
  }
  for (const marked of markedValues(schema, value)) {
    if (marked.isLocal) {
      throw forbidden(
        `Only the user of this machine may give "${marked.field}": it reaches what is outside of workspaces.`,
        marked.field,
      );
    }
    if (!mayName(principal, visibility, marked)) {
      throw outOfReach(String(marked.names), String(marked.value), marked.field);
    }
  }
}

function mayName(principal: Principal, visibility: Visibility, { names, value }: MarkedValue): boolean {
  if (names === undefined) {
    return true;
  }
  try {
    return visibility.named(principal, names, String(value));
  } catch {
    return false;
  }
}

/** The same for what is not there: a token learns nothing of others' names. */
export function outOfReach(what: string, name: string, field: string): BerthError {
  return forbidden(`This token does not reach ${what} ${name}.`, field);
}

function forbidden(message: string, field?: string): BerthError {
  return new BerthError('forbidden', message, { ...(field !== undefined && { field }) });
}
