/** Snapshots: what a volume was at one point in time, never changed afterwards. */
import { Type, type Static } from '@sinclair/typebox';
import { Label, literals, Name, Timestamp } from '../common';
import { snapshotIdPattern } from '../rules/names';
import { namesSnapshot } from '../rules/principal';
import { snapshotIntervalBounds } from '../rules/sizes';
import { VolumeKind } from '../volumes/schemas';

/**
 * Why there is one: somebody asked for it, it is what a restore has put away, what forks began with, or what the trash keeps; or its workspace has
 * them made, by the clock or whenever it stops.
 */
export const snapshotReasons = ['manual', 'before-restore', 'fork', 'trash', 'schedule', 'stop'] as const;
export type SnapshotReason = (typeof snapshotReasons)[number];
/** Of those that come by themselves, and go by themselves. */
export const automaticReasons = ['schedule', 'stop'] as const;
export type AutomaticReason = (typeof automaticReasons)[number];

export const Snapshot = Type.Object({
  id: Type.String({ pattern: snapshotIdPattern }),
  /** Its volume, which may be gone. */
  volume: Type.String(),
  kind: VolumeKind,
  /** Unique among those of the volume. */
  name: Type.Optional(Name),
  description: Type.Optional(Label),
  reason: literals(snapshotReasons),
  protected: Type.Optional(Type.Boolean({ description: 'It is not deleted until that is taken away.' })),
  createdAt: Timestamp,
  /** Of a disk. */
  sizeMiB: Type.Optional(Type.Integer()),
  usedBytes: Type.Integer({ description: 'Bytes of its files, as their file system counts them.' }),
  heldBytes: Type.Optional(
    Type.Integer({
      description:
        'Bytes that go when it is deleted; those that a disk shares with its volume count. Absent: its data is gone, or the container engine that has it does not answer.',
    }),
  ),
  isShared: Type.Boolean({ description: 'It was made of shared blocks: what never changes takes no room.' }),
  heldMs: Type.Integer({
    description:
      'Milliseconds that nobody could change the volume while it was made; containers were frozen for so long.',
  }),
  notes: Type.Optional(
    Type.Array(Type.String(), { description: 'What could not be kept, or held still, in words.' }),
  ),
  verifiedAt: Type.Optional({
    ...Timestamp,
    description:
      'When a check last read something of it, or first found that all of it is as it was when it was read by way of another one.',
  }),
  damaged: Type.Optional(
    Type.Integer({ description: 'Files and folders that were not as they had been; absent where all were.' }),
  ),
});
export type Snapshot = Static<typeof Snapshot>;

export const SnapshotCreate = Type.Object(
  { name: Type.Optional(Type.String({ ...Name, ...namesSnapshot })), description: Type.Optional(Label) },
  { additionalProperties: false },
);
export type SnapshotCreate = Static<typeof SnapshotCreate>;

export const SnapshotPatch = Type.Object(
  { protected: Type.Boolean({ description: 'Whether deletes of it are refused from now on.' }) },
  { additionalProperties: false },
);
export type SnapshotPatch = Static<typeof SnapshotPatch>;

const Count = Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 }));

/** Which snapshots stay when a volume is thinned. What any of them wants stays. */
export const KeepPolicy = Type.Object(
  {
    keepLast: Count,
    keepHourly: Count,
    keepDaily: Count,
    keepWeekly: Count,
    keepMonthly: Count,
    keepYearly: Count,
    keepWithinHours: Type.Optional(
      Type.Number({
        ...{ exclusiveMinimum: 0, maximum: 1_000_000 },
        description: 'All that are at most so many hours older than the newest one.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type KeepPolicy = Static<typeof KeepPolicy>;

/** Snapshots that a workspace has made of its home, and of named volumes that it writes to. */
export const AutomaticSnapshots = Type.Object(
  {
    every: Type.Optional(
      Type.Number({
        ...snapshotIntervalBounds,
        description:
          'Minutes from one to the next, while the workspace is used; 0 = none. Below 5 is taken for 5.',
      }),
    ),
    atStop: Type.Optional(
      Type.Boolean({ description: 'One whenever it has stopped, or is found stopped, crashes included.' }),
    ),
    keep: Type.Optional({
      ...KeepPolicy,
      description:
        'Which of them stay; those made by hand, with a name or protected are not touched. Absent: the last 24 hourly, 7 daily and 4 weekly ones.',
    }),
  },
  { additionalProperties: false },
);
export type AutomaticSnapshots = Static<typeof AutomaticSnapshots>;

export const PruneRequest = Type.Object(
  {
    ...KeepPolicy.properties,
    dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Only say what would go.' })),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type PruneRequest = Static<typeof PruneRequest>;

export const PruneResult = Type.Object({
  kept: Type.Array(Type.Object({ snapshot: Type.String(), reasons: Type.Array(Type.String()) }), {
    description: 'Newest first, and why: `last`, `daily`, `has a name` and so on.',
  }),
  removed: Type.Array(Type.String(), { description: 'Ids of those that went, or would go.' }),
  failed: Type.Array(Type.Object({ snapshot: Type.String(), reason: Type.String() })),
});
export type PruneResult = Static<typeof PruneResult>;

export const VerifyResult = Type.Object({
  verified: Type.String({ description: 'The id of the snapshot.' }),
  checked: Type.Integer({ description: 'Files and folders; 1 of a disk.' }),
  read: Type.Integer({ description: 'Those that were read: the others have not changed since they were.' }),
  damaged: Type.Integer(),
  problems: Type.Array(Type.Object({ path: Type.String(), what: Type.String() }), {
    description: 'What is not as it was, up to 1000.',
  }),
  since: Type.Optional({
    ...Timestamp,
    description:
      'Of a disk of which nothing was noted when it was made: it is held against what it was then. The check that noted it has only looked for errors of its file system.',
  }),
});
export type VerifyResult = Static<typeof VerifyResult>;

export const SnapshotResult = Type.Object({ snapshot: Type.String({ description: 'Its id.' }) });
export const RestoreResult = Type.Object({
  restored: Type.String({ description: 'The id of the snapshot that the volume is as, now.' }),
  before: Type.Optional(
    Type.String({ description: 'The snapshot of what was there before: restore it to undo.' }),
  ),
});
