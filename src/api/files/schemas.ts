import { Type, type Static } from '@sinclair/typebox';
import { localOnly } from '../rules/principal';
import { FilesName, Flag, VolumePath, literals } from '../common';

export const fileTypes = ['file', 'directory', 'symlink', 'other'] as const;
export const FileType = literals(fileTypes);
export type FileType = (typeof fileTypes)[number];

export const FileEntry = Type.Object({
  name: Type.String(),
  type: FileType,
  /** For a symlink: what it points to, when that exists inside the volume. */
  targetType: Type.Optional(literals(['file', 'directory', 'other', 'missing', 'outside'])),
  linkTarget: Type.Optional(Type.String()),
  size: Type.Integer({ description: 'Bytes; of the target for a symlink that leads to one.' }),
  mode: Type.Integer({ description: 'Permission bits, e.g. 420 = 0644.' }),
  uid: Type.Integer(),
  gid: Type.Integer(),
  mtimeMs: Type.Number(),
  ctimeMs: Type.Number(),
  dropped: Type.Optional(
    Type.Array(literals(['setuid', 'setgid', 'capabilities']), {
      description: 'Of a file that was written: the rights that its old content had and the new one has not.',
    }),
  ),
});
export type FileEntry = Static<typeof FileEntry>;

export const FileList = Type.Object({
  path: Type.String(),
  entries: Type.Array(FileEntry),
  /** How many there are in all; more than `entries` when paged. */
  total: Type.Integer(),
  /** Pass as `cursor` for the next page; absent at the end. */
  next: Type.Optional(Type.String()),
});
export type FileList = Static<typeof FileList>;

/** What to do when the target exists; `fail` stops before anything is changed. */
export const ConflictPolicy = literals(['fail', 'overwrite', 'skip', 'rename']);
export type ConflictPolicy = Static<typeof ConflictPolicy>;

export const LocalPlace = Type.Object(
  {
    local: Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
      ...localOnly,
      minItems: 1,
      maxItems: 10_000,
    }),
  },
  { additionalProperties: false, description: "Absolute paths on the engine's machine." },
);
export const VolumePlace = Type.Object(
  { volume: FilesName, paths: Type.Array(VolumePath, { minItems: 1, maxItems: 10_000 }) },
  { additionalProperties: false },
);

/** A bulk copy or move between this machine and volumes, or between volumes. */
export const TransferCreate = Type.Object(
  {
    from: Type.Union([LocalPlace, VolumePlace]),
    to: Type.Union([
      Type.Object({ local: Type.String({ minLength: 1, ...localOnly }) }, { additionalProperties: false }),
      Type.Object({ volume: FilesName, path: VolumePath }, { additionalProperties: false }),
    ]),
    /** true: `to` is the full name of the single copied thing, not the folder to put it into. */
    exact: Type.Optional(Type.Boolean({ default: false })),
    move: Type.Optional(Type.Boolean({ default: false })),
    conflict: Type.Optional(ConflictPolicy),
  },
  { additionalProperties: false },
);
export type TransferCreate = Static<typeof TransferCreate>;

export const RemovalCreate = Type.Object(
  {
    volume: FilesName,
    paths: Type.Array(VolumePath, {
      minItems: 1,
      maxItems: 10_000,
      description: 'Files, links and folders; one that fails stops none of the others.',
    }),
  },
  { additionalProperties: false },
);
export type RemovalCreate = Static<typeof RemovalCreate>;

/** How much there is at a path, itself included. */
export const FileMeasure = Type.Object({
  files: Type.Integer({ description: 'Files, links and whatever else is no folder.' }),
  folders: Type.Integer(),
  bytes: Type.Integer({ description: 'The sizes of the files.' }),
  isAtLeast: Type.Optional(
    Type.Boolean({ description: 'The time was up, or a folder could not be read: there may be more.' }),
  ),
});
export type FileMeasure = Static<typeof FileMeasure>;

const FileFacts = Type.Object({ size: Type.Integer(), mtimeMs: Type.Number() });
export type FileFacts = Static<typeof FileFacts>;

export const PathConflict = Type.Object({
  path: Type.String({ description: 'The target that exists.' }),
  type: FileType,
  there: Type.Optional({ ...FileFacts, description: 'Of what exists. Of the first 20 files alone.' }),
  coming: Type.Optional({ ...FileFacts, description: 'Of what would take its place.' }),
});
export type PathConflict = Static<typeof PathConflict>;
export const ConflictList = Type.Object({
  conflicts: Type.Array(PathConflict),
  total: Type.Integer({ description: 'How many there are; the list holds at most 100.' }),
});
export type ConflictList = Static<typeof ConflictList>;

export const PathBody = Type.Object({ path: VolumePath }, { additionalProperties: false });
export const MoveBody = Type.Object(
  { from: VolumePath, to: VolumePath, overwrite: Type.Optional(Flag) },
  { additionalProperties: false },
);

export const FileLocationQuery = Type.Object({
  path: Type.String({
    minLength: 1,
    maxLength: 4096,
    description: 'As in a shell inside: from the home unless it begins with `/`; `~` is the home.',
  }),
  follow: Type.Optional(
    Type.Boolean({ default: false, description: 'Also when the last component is a link.' }),
  ),
});

/** What a path of a workspace means: what its shell sees there, whatever is mounted. */
export const FileLocation = Type.Object({
  volume: FilesName,
  path: Type.String({ description: 'In that volume, without links.' }),
  inside: Type.String({ description: 'The same as the workspace sees it: absolute, without links.' }),
  readOnly: Type.Boolean({ description: 'The workspace has that volume for reading only.' }),
  mounts: Type.Array(
    Type.Object({
      path: Type.String({ description: 'From `inside`, without a leading slash.' }),
      volume: Type.Optional(Type.String({ description: 'Missing where it is no volume.' })),
    }),
    { description: 'What else is mounted below it.' },
  ),
});
export type FileLocation = Static<typeof FileLocation>;

export const FileChange = Type.Object({
  type: literals(['created', 'changed', 'deleted']),
  path: Type.String(),
});
export type FileChange = Static<typeof FileChange>;
