/** The trash: what was deleted and can be had back for a while. */
import { Type, type Static } from '@sinclair/typebox';
import { literals, Name, Timestamp } from '../common';
import { snapshotIdPattern } from '../rules/names';
import { ErrorBody } from '../stream-schemas';
import { VolumeKind } from '../volumes/schemas';

/** Days that what is deleted is kept, unless the setting `trashDays` says otherwise. */
export const defaultTrashDays = 7;

const ItemId = Type.String({ pattern: snapshotIdPattern });

export const TrashedVolume = Type.Object({
  volume: Type.String(),
  kind: VolumeKind,
  snapshot: Type.String({ description: 'The id of the snapshot that has its files.' }),
  usedBytes: Type.Integer({ description: 'Bytes of its files.' }),
});
export type TrashedVolume = Static<typeof TrashedVolume>;

export const TrashItem = Type.Object({
  id: ItemId,
  kind: literals(['workspace', 'volume']),
  name: Type.String({ description: 'What it was called.' }),
  deletedAt: Timestamp,
  expiresAt: Type.Optional({
    ...Timestamp,
    description:
      'When it goes for good; absent while the trash is turned off: then it stays until it is emptied.',
  }),
  usedBytes: Type.Integer({ description: 'Bytes of the files of its volumes.' }),
  volumes: Type.Array(TrashedVolume),
  image: Type.Optional(
    Type.String({ description: 'The image that has what was installed outside of volumes.' }),
  ),
  notKept: Type.Optional(Type.Array(Type.String(), { description: 'What is lost all the same, in words.' })),
});
export type TrashItem = Static<typeof TrashItem>;

export const TrashRestore = Type.Object(
  { name: Type.Optional({ ...Name, description: 'Another name than the one it had.' }) },
  { additionalProperties: false },
);
export type TrashRestore = Static<typeof TrashRestore>;

export const TrashEmpty = Type.Object(
  {
    items: Type.Optional(Type.Array(ItemId, { maxItems: 10_000, description: 'Absent: all of them.' })),
    olderThanHours: Type.Optional(
      Type.Number({ minimum: 0, description: 'Only what was deleted so long ago.' }),
    ),
  },
  { additionalProperties: false },
);
export type TrashEmpty = Static<typeof TrashEmpty>;

export const TrashRestoreResult = Type.Object({
  kind: literals(['workspace', 'volume']),
  restored: Type.String({ description: 'The name that it has now.' }),
});

export const TrashEmptyResult = Type.Object({
  removed: Type.Array(Type.String(), { description: 'Ids of what is gone.' }),
  failed: Type.Array(Type.Object({ item: Type.String(), error: ErrorBody })),
});
export type TrashEmptyResult = Static<typeof TrashEmptyResult>;

/** A line of the journal of what was removed for good. */
export const RemovalNote = Type.Object({
  at: Timestamp,
  what: literals(['trash', 'cache', 'snapshot', 'image', 'volume']),
  name: Type.String(),
  bytes: Type.Optional(Type.Integer()),
  reason: Type.String(),
});
export type RemovalNote = Static<typeof RemovalNote>;
