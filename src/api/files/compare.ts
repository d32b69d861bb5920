/** Comparing two trees of files: what is asked, and what comes through the stream. */
import { Type, type Static } from '@sinclair/typebox';
import { FilesName, literals, VolumePath } from '../common';
import { ErrorBody } from '../stream-schemas';
import { FileType } from './schemas';

export const CompareQuery = Type.Object({
  path: Type.Optional({ ...VolumePath, default: '/' }),
  with: {
    ...FilesName,
    description: 'What it is compared with: as `volume`. That is before, this is after.',
  },
  withPath: Type.Optional({ ...VolumePath, default: '/' }),
  full: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Reads also what has the inode and the time of change that it had, which root in a workspace can set as it likes.',
    }),
  ),
  gitignore: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Leaves out what .gitignore files of either side name, from the two folders on, and `.git` itself.',
    }),
  ),
});
export type CompareQuery = Static<typeof CompareQuery>;

export const ComparedFile = Type.Object({
  type: FileType,
  size: Type.Integer({ description: 'Bytes; 0 of a folder.' }),
  mode: Type.Integer({ description: 'Permission bits.' }),
  uid: Type.Integer(),
  gid: Type.Integer(),
  mtimeMs: Type.Number({ description: 'Shown, never compared.' }),
  target: Type.Optional(Type.String({ description: 'Of a link, where it was looked at.' })),
});
export type ComparedFile = Static<typeof ComparedFile>;

/** `type`: another kind of file; `metadata`: nothing but what is in `what`. */
export const ChangeKind = literals(['added', 'removed', 'changed', 'type', 'metadata']);
export type ChangeKind = Static<typeof ChangeKind>;

export const ChangedPart = literals(['content', 'target', 'device', 'mode', 'owner', 'attributes']);
export type ChangedPart = Static<typeof ChangedPart>;

export const Change = Type.Object({
  path: Type.String({
    description: 'From the two folders on, beginning with a slash; `/` is they themselves.',
  }),
  kind: ChangeKind,
  what: Type.Optional(Type.Array(ChangedPart)),
  before: Type.Optional(ComparedFile),
  after: Type.Optional(ComparedFile),
});
export type Change = Static<typeof Change>;

export const CompareFailure = Type.Object({
  path: Type.String({ description: 'As that of a change.' }),
  side: literals(['before', 'after']),
  reason: Type.String(),
});
export type CompareFailure = Static<typeof CompareFailure>;

export const CompareEnd = Type.Object({
  added: Type.Integer(),
  removed: Type.Integer(),
  changed: Type.Integer({ description: 'Another content, or another kind of file.' }),
  metadata: Type.Integer({ description: 'Only another mode, owner or attributes.' }),
  unread: Type.Integer({
    description: 'Files and folders of which it is not known, as they could not be read.',
  }),
  compared: Type.Integer({ description: 'Names that are on both sides.' }),
  ignored: Type.Optional(
    Type.Integer({
      description: 'Names that were left out because of .gitignore files, and what is in them.',
    }),
  ),
  bytesBefore: Type.Integer({ description: 'Of the files that were removed or changed.' }),
  bytesAfter: Type.Integer({ description: 'Of the files that were added or changed.' }),
});
export type CompareEnd = Static<typeof CompareEnd>;

/** In no order; the last one is `end` or `error`. */
export const CompareEvent = Type.Union([
  Type.Object({ changes: Type.Array(Change) }),
  Type.Object({ failed: Type.Array(CompareFailure) }),
  Type.Object({ end: CompareEnd }),
  Type.Object({ error: ErrorBody }),
]);
export type CompareEvent = Static<typeof CompareEvent>;
