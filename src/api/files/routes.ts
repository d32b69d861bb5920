/** The part of the contract that is about files: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { ByName, FilesName, Flag, Nothing, VolumePath, Waiting } from '../common';
import {
  ConflictList,
  FileEntry,
  FileList,
  FileLocation,
  FileLocationQuery,
  FileMeasure,
  MoveBody,
  PathBody,
  RemovalCreate,
  TransferCreate,
} from './schemas';
import { TakeOverCreate, TakeOverOperation } from './take-over';
import { RemovalOperation, TransferOperation } from '../operations/schemas';

const ByFiles = Type.Object({ volume: FilesName });

export const fileRoutes = {
  'workspaces.locate': {
    summary:
      'What the shell of a workspace finds at a path: on which volume it is, or on the root file system',
    tag: 'files',
    scope: 'read',
    params: ByName,
    query: FileLocationQuery,
    response: FileLocation,
  },
  'files.stat': {
    summary: 'One file or folder',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: Type.Object({ path: VolumePath }),
    response: FileEntry,
  },
  'files.list': {
    summary: 'Entries of a folder, sorted by name, paged',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: Type.Object({
      path: VolumePath,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
      cursor: Type.Optional(Type.String({ maxLength: 1024 })),
    }),
    response: FileList,
  },
  'files.measure': {
    summary: 'How many files, folders and bytes are at a path, as far as that is found in time',
    tag: 'files',
    scope: 'read',
    params: ByFiles,
    query: Type.Object({
      path: VolumePath,
      withinMs: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 60_000,
          default: 1_000,
          description: 'Then it answers what it has.',
        }),
      ),
    }),
    response: FileMeasure,
  },
  'files.mkdir': {
    summary: 'Create a folder; its parents must exist unless `parents`',
    tag: 'files',
    scope: 'use',
    params: ByFiles,
    body: Type.Object({ path: VolumePath, parents: Type.Optional(Flag) }, { additionalProperties: false }),
    response: FileEntry,
  },
  'files.rename': {
    summary: 'Rename or move inside a volume',
    tag: 'files',
    scope: 'use',
    params: ByFiles,
    body: MoveBody,
    response: FileEntry,
  },
  'files.copy': {
    summary: 'Copy a file or a tree inside a volume',
    tag: 'files',
    scope: 'use',
    params: ByFiles,
    body: MoveBody,
    response: FileEntry,
  },
  'files.remove': {
    summary: 'Remove a file, a link, or a folder with `recursive`; `/removals` does it with progress',
    tag: 'files',
    scope: 'use',
    params: ByFiles,
    body: Type.Object({ path: VolumePath, recursive: Type.Optional(Flag) }, { additionalProperties: false }),
    response: Nothing,
  },
  'files.chmod': {
    summary: 'Change permission bits',
    tag: 'files',
    scope: 'use',
    params: ByFiles,
    body: Type.Object(
      { ...PathBody.properties, mode: Type.Integer({ minimum: 0, maximum: 0o7777 }) },
      { additionalProperties: false },
    ),
    response: FileEntry,
  },

  'removals.create': {
    summary: 'Delete files and folders of a volume with all that is in them',
    tag: 'files',
    scope: 'use',
    query: Waiting,
    body: RemovalCreate,
    response: RemovalOperation,
  },

  'transfers.create': {
    summary: 'Copy files and folders in, out, or between volumes',
    tag: 'files',
    scope: 'use',
    query: Waiting,
    body: TransferCreate,
    response: TransferOperation,
  },
  'transfers.conflicts': {
    summary: 'What a transfer would meet at its target',
    tag: 'files',
    scope: 'use',
    body: TransferCreate,
    response: ConflictList,
  },

  'takeovers.create': {
    summary:
      'Take changes that a comparison has found over to the other side, where nothing has changed since',
    tag: 'files',
    scope: 'use',
    query: Waiting,
    body: TakeOverCreate,
    maxBytes: 128 * 1024 * 1024,
    response: TakeOverOperation,
  },
} as const;
