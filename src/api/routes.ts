/**
 * The contract: what each route of `paths.ts` takes and answers, in a file for each noun. The server validates with these
 * schemas and publishes them as OpenAPI; clients use only their types.
 */
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import { engineRoutes } from './engine/routes';
import { fileRoutes } from './files/routes';
import { imageRoutes } from './images/routes';
import { operationRoutes } from './operations/routes';
import type { RouteId } from './paths';
import type { RouteScope } from './rules/principal';
import { snapshotRoutes } from './snapshots/routes';
import { trashRoutes } from './trash/routes';
import { volumeRoutes } from './volumes/routes';
import { workspaceRoutes } from './workspaces/routes';

export interface RouteSchema {
  summary: string;
  tag: string;
  /** What it asks of its caller. */
  scope: RouteScope;
  params?: TObject;
  query?: TObject;
  body?: TSchema;
  /** How large a body may be, where that is more than usual. */
  maxBytes?: number;
  response: TSchema;
}

function defineRoutes<const T extends Record<RouteId, RouteSchema>>(table: T): T {
  return table;
}

export const routes = defineRoutes({
  ...engineRoutes,
  ...operationRoutes,
  ...workspaceRoutes,
  ...volumeRoutes,
  ...snapshotRoutes,
  ...trashRoutes,
  ...fileRoutes,
  ...imageRoutes,
});

export type Routes = typeof routes;

type PartOf<Id extends RouteId, Part extends string> =
  Routes[Id] extends Record<Part, infer S> ? (S extends TSchema ? Static<S> : undefined) : undefined;

export type RouteParams<Id extends RouteId> = PartOf<Id, 'params'>;
export type RouteQuery<Id extends RouteId> = PartOf<Id, 'query'>;
export type RouteBody<Id extends RouteId> = PartOf<Id, 'body'>;
export type RouteAnswer<Id extends RouteId> = PartOf<Id, 'response'>;
