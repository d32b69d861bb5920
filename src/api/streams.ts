/**
 * The part of the contract whose answers are streams: see `routes.ts` for the rest. What goes through them:
 * `api/stream-schemas.ts`.
 */
import { Type, type Static, type TObject } from '@sinclair/typebox';
import { streamPaths } from './paths';
import type { RouteScope } from './rules/principal';
import { ByName, FilesName, Flag, VolumePath } from './common';
import { CompareQuery } from './files/compare';
import { FindQuery } from './files/find';
import { ExportQuery, ImportQuery } from './workspaces/export';

export interface StreamRoute {
  method: 'GET' | 'PUT';
  path: (typeof streamPaths)[keyof typeof streamPaths];
  summary: string;
  tag: string;
  /** What it asks of its caller. */
  scope: RouteScope;
  params?: TObject;
  query?: TObject;
}

function defineStreams<const T extends Record<string, StreamRoute>>(table: T): T {
  return table;
}

const ByFiles = Type.Object({ volume: FilesName });
const Offset = Type.Integer({ minimum: 0 });

export const streams = defineStreams({
  events: {
    method: 'GET',
    path: streamPaths.events,
    summary: 'Server-sent events',
    tag: 'engine',
    scope: 'read',
  },
  'files.read': {
    method: 'GET',
    path: streamPaths.fileContent,
    summary: 'The content of a file, or a part of it',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: Type.Object({ path: VolumePath, offset: Type.Optional(Offset), length: Type.Optional(Offset) }),
  },
  'files.write': {
    method: 'PUT',
    path: streamPaths.fileContent,
    summary: 'Write a file as a whole',
    tag: 'files',
    scope: 'use',
    params: ByFiles,
    query: Type.Object({
      path: VolumePath,
      create: Type.Optional(Type.Boolean({ default: true })),
      overwrite: Type.Optional(Type.Boolean({ default: true })),
      mode: Type.Optional(Type.Integer({ minimum: 0, maximum: 0o777 })),
    }),
  },
  'files.archive': {
    method: 'GET',
    path: streamPaths.fileArchive,
    summary: 'A file or folder as a tar archive',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: Type.Object({ path: VolumePath }),
  },
  'files.watch': {
    method: 'GET',
    path: streamPaths.fileWatch,
    summary: 'Changes below a folder as they happen',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: Type.Object({
      path: Type.Optional(Type.String({ pattern: '^/', default: '/' })),
      recursive: Type.Optional(Type.Boolean({ default: true })),
    }),
  },
  'files.find': {
    method: 'GET',
    path: streamPaths.fileFind,
    summary: 'Files below a folder, or lines of files that contain a text, as they are found',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: FindQuery,
  },
  'files.compare': {
    method: 'GET',
    path: streamPaths.fileCompare,
    summary: 'What of a tree of files is another in a second one, as it is found; content decides, not time',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: CompareQuery,
  },
  'workspaces.logs': {
    method: 'GET',
    path: streamPaths.logs,
    summary: 'What the runtime has written to its log',
    tag: 'workspaces',
    scope: 'read',
    params: ByName,
    query: Type.Object({
      tail: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, default: 1000 })),
      follow: Type.Optional(Flag),
      timestamps: Type.Optional(Flag),
    }),
  },
  'workspaces.lease': {
    method: 'GET',
    path: streamPaths.lease,
    summary: 'Keep a temporary workspace for as long as this answer is open',
    tag: 'workspaces',
    scope: 'use',
    params: ByName,
  },
  'workspaces.attach': {
    method: 'GET',
    path: streamPaths.attach,
    summary: 'A terminal or command, over a WebSocket',
    tag: 'workspaces',
    scope: 'use',
    params: ByName,
  },
  'workspaces.export': {
    method: 'GET',
    path: streamPaths.export,
    summary: 'All of a workspace as one file: volumes, image, specification, no secret; it may run meanwhile',
    tag: 'workspaces',
    scope: 'local',
    params: ByName,
    query: ExportQuery,
  },
  'workspaces.import': {
    method: 'PUT',
    path: streamPaths.import,
    summary: 'Make a workspace of such a file, also of another machine',
    tag: 'workspaces',
    scope: 'local',
    query: ImportQuery,
  },
  openapi: {
    method: 'GET',
    path: streamPaths.openapi,
    summary: 'This description',
    tag: 'engine',
    scope: 'read',
  },
});

export type StreamId = keyof typeof streams;
type StreamPart<Id extends StreamId, Part extends 'params' | 'query'> =
  (typeof streams)[Id] extends Record<Part, infer S> ? (S extends TObject ? Static<S> : never) : never;
export type StreamParams<Id extends StreamId> = StreamPart<Id, 'params'>;
export type StreamQuery<Id extends StreamId> = StreamPart<Id, 'query'>;
