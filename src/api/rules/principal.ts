/**
 * Who calls, and what a route asks of its caller. The owner comes by the socket, which only the user can open; whoever
 * comes another way has a token. Routes and fields say what they ask (`routes.ts`, `streams.ts`); the server holds to it.
 */

/** From least to most: look and read files; change files, run commands, start and stop; make, change and delete. */
export const tokenScopes = ['read', 'use', 'manage'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** `local`: for the owner alone, as it reaches files, credentials or settings of the engine's machine. */
export type RouteScope = 'local' | TokenScope;

export interface TokenPrincipal {
  kind: 'token';
  id: string;
  scope: TokenScope;
  /** The names of those that it may reach, with their volumes, operations and events. */
  workspaces: 'all' | readonly string[];
}

export type Principal = { kind: 'owner' } | TokenPrincipal;

export const owner: Principal = { kind: 'owner' };

/** Whether a caller may use a route of that scope; of a token, whatever the workspace. */
export function mayCall(principal: Principal, scope: RouteScope): boolean {
  if (principal.kind === 'owner') {
    return true;
  }
  return scope !== 'local' && tokenScopes.indexOf(principal.scope) >= tokenScopes.indexOf(scope);
}

/**
 * What a value in a request names, so that it can be held against what the caller may reach. A snapshot is reached by
 * whoever reaches the volume that is named beside it.
 */
export type Named = 'workspace' | 'volume' | 'operation' | 'snapshot';

/** Marks of schemas, published in the OpenAPI document with them. */
export interface AccessMarks {
  /** A field for the owner alone; a string: only where its value matches this regular expression. */
  'x-local'?: true | string;
  'x-names'?: Named;
}

export const localOnly = { 'x-local': true } as const satisfies AccessMarks;
export const namesWorkspace = { 'x-names': 'workspace' } as const satisfies AccessMarks;
export const namesVolume = { 'x-names': 'volume' } as const satisfies AccessMarks;
export const namesOperation = { 'x-names': 'operation' } as const satisfies AccessMarks;
export const namesSnapshot = { 'x-names': 'snapshot' } as const satisfies AccessMarks;
const allNamed: readonly unknown[] = ['workspace', 'volume', 'operation', 'snapshot'];

/**
 * A path of the engine's machine in the place of the name of an image: all that `imageFile` can take for one. It names no
 * image of a repository `oci` or `docker-archive` either, which would be a name of that look.
 */
export const localPath = {
  'x-local': '^([/.~\\\\]|[A-Za-z]:[\\\\/]|(file|oci|docker-archive):)',
} as const satisfies AccessMarks;

export interface MarkedValue {
  /** Dotted, from the body. */
  field: string;
  value: unknown;
  isLocal: boolean;
  names: Named | undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All values of a request whose schema is marked; of a choice of schemas, those of each. */
export function markedValues(schema: unknown, value: unknown, field = ''): MarkedValue[] {
  if (!isRecord(schema) || value === undefined) {
    return [];
  }
  const own = markOf(schema, value, field);
  const choices = Array.isArray(schema.anyOf) ? schema.anyOf : [];
  const below = [
    ...choices.flatMap((each) => markedValues(each, value, field)),
    ...(Array.isArray(value)
      ? value.flatMap((each, index) => markedValues(schema.items, each, join(field, String(index))))
      : []),
    ...(isRecord(value) && isRecord(schema.properties)
      ? Object.entries(schema.properties).flatMap(([key, each]) =>
          Object.hasOwn(value, key) ? markedValues(each, value[key], join(field, key)) : [],
        )
      : []),
  ];
  return own === undefined ? below : [own, ...below];
}

function join(field: string, key: string): string {
  return field === '' ? key : `${field}.${key}`;
}

function markOf(schema: Record<string, unknown>, value: unknown, field: string): MarkedValue | undefined {
  const local = schema['x-local'];
  const names = schema['x-names'];
  const isLocal =
    (local === true && value !== false) ||
    (typeof local === 'string' && typeof value === 'string' && new RegExp(local).test(value));
  const named = isNamed(names) ? names : undefined;
  return isLocal || named !== undefined ? { field, value, isLocal, names: named } : undefined;
}

function isNamed(names: unknown): names is Named {
  return allNamed.includes(names);
}
