/** The OpenAPI document: what @fastify/swagger knows of the routes, with named schemas, errors and streams. */
import type { TSchema } from '@sinclair/typebox';
import { errorStatus } from '../../api/errors';
import { paths, streamPaths } from '../../api/paths';
import { routes, type RouteSchema } from '../../api/routes';
import { Name } from '../../api/common';
import * as engineSchemas from '../../api/engine/schemas';
import * as fileSchemas from '../../api/files/schemas';
import * as operationSchemas from '../../api/operations/schemas';
import * as streamSchemas from '../../api/stream-schemas';
import * as volumeSchemas from '../../api/volumes/schemas';
import * as workspaceSchemas from '../../api/workspaces/schemas';
import { streams } from '../../api/streams';
import { streamDocs } from './openapi-streams';

type Json = Record<string, unknown>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recordOf(value: unknown): Json {
  return isRecord(value) ? value : {};
}

const named = namedSchemas({
  ...workspaceSchemas,
  ...volumeSchemas,
  ...fileSchemas,
  ...operationSchemas,
  ...engineSchemas,
  ...streamSchemas,
});
/** By their text: an optional schema is a copy of the one that it makes optional. */
const nameOf = new Map(Object.entries(named).map(([name, schema]) => [JSON.stringify(schema), name]));

/** Objects, lists and choices; what is a plain string or number says more in place. */
function namedSchemas(exported: Record<string, unknown>): Record<string, Json> {
  const isNamed = ([, value]: [string, unknown]): boolean =>
    isRecord(value) && ('properties' in value || 'patternProperties' in value || 'anyOf' in value);
  const found = Object.entries(exported).filter(isNamed);
  return Object.fromEntries(found.map(([name, value]) => [name, recordOf(value)]));
}

/** The same schema with references in the place of named ones; `own` is the name of the schema itself. */
export function refer(value: unknown, own?: string): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => refer(each));
  }
  if (!isRecord(value)) {
    return value;
  }
  const name = nameOf.get(JSON.stringify(value));
  if (name !== undefined && name !== own) {
    return { $ref: `#/components/schemas/${name}` };
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, refer(each)]));
}

const statuses = [...new Set(Object.values(errorStatus))].sort((one, other) => one - other);
/** Any route may answer any of them: what is at fault is often known only by the runtime below. */
const errorAnswers = Object.fromEntries(
  statuses.map((status) => [status, { $ref: `#/components/responses/Error${status}` }]),
);

function errorResponses(): Json {
  return Object.fromEntries(statuses.map((status) => [`Error${status}`, errorResponse(status)]));
}

function errorResponse(status: number): Json {
  const codes = Object.entries(errorStatus).filter(([, each]) => each === status);
  const code = { enum: codes.map(([name]) => name) };
  const error = { $ref: '#/components/schemas/ErrorBody', properties: { code } };
  const schema = { type: 'object', required: ['error'], properties: { error } };
  return { description: code.enum.join(', '), content: { 'application/json': { schema } } };
}

/** @fastify/websocket hides its routes from the document. */
const hidden = {
  [streamPaths.attach.replace(/:(\w+)/g, '{$1}')]: {
    get: {
      operationId: 'workspaces.attach',
      summary: streams['workspaces.attach'].summary,
      tags: ['workspaces'],
      parameters: [{ in: 'path', name: 'name', required: true, schema: Name }],
    },
  },
};

/** With all that @fastify/swagger can't know. */
export function completeDocument(document: object): object {
  const { components, paths: documented, ...rest } = recordOf(document);
  const schemas = Object.entries(named).map(([name, schema]) => [name, refer(schema, name)]);
  return {
    ...rest,
    components: {
      ...recordOf(components),
      schemas: Object.fromEntries(schemas) as Json,
      responses: errorResponses(),
    },
    paths: Object.fromEntries(
      Object.entries({ ...recordOf(documented), ...hidden }).map(([path, methods]) => [
        path,
        completeMethods(methods),
      ]),
    ),
  };
}

function completeMethods(methods: unknown): Json {
  const entries = Object.entries(recordOf(methods));
  return Object.fromEntries(entries.map(([method, operation]) => [method, complete(recordOf(operation))]));
}

function complete(operation: Json): Json {
  const id = String(operation.operationId);
  const special = Object.hasOwn(streamDocs, id) ? recordOf(refer(streamDocs[id])) : routeDoc(id);
  const { responses, ...more } = special;
  return { ...operation, ...more, responses: { ...recordOf(responses), ...errorAnswers } };
}

function routeDoc(id: string): Json {
  const route: RouteSchema | undefined = isRouteId(id) ? routes[id] : undefined;
  if (route === undefined) {
    throw new Error(`Nothing describes the route ${id}.`);
  }
  const { body, response } = route;
  return {
    ...(body !== undefined && { requestBody: { required: true, content: asJson(body) } }),
    responses: { 200: { description: 'Done, or begun.', content: asJson(response) } },
  };
}

function isRouteId(id: string): id is keyof typeof paths {
  return Object.hasOwn(paths, id);
}

function asJson(schema: TSchema): Json {
  return { 'application/json': { schema: refer(schema) } };
}
