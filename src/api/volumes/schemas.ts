import { Type, type Static } from '@sinclair/typebox';
import { diskBounds } from '../rules/sizes';
import { runtimeStates } from '../rules/lifecycle';
import { namesVolume } from '../rules/principal';
import { Name, Owner, Timestamp, literals, oneLine } from '../common';

/** Reserved are the names that Berth knows its own things by. */
const volumeLabel = '^(?!berth\\.|workspace\\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$';

export const volumeKinds = ['docker', 'disk', 'directory'] as const;
export const VolumeKind = literals(volumeKinds);
export type VolumeKind = (typeof volumeKinds)[number];

/** What a volume is for, by its name and labels. */
export const VolumeRole = literals(['home', 'docker', 'named', 'session', 'foreign']);

export const Holder = Type.Object({
  runtime: Type.String({ description: 'The container or microVM, by name.' }),
  workspace: Type.Optional(Type.String()),
  state: literals([...runtimeStates, 'unknown']),
  readOnly: Type.Boolean(),
  /** The other installation whose runtime it is. */
  owner: Type.Optional(Owner),
});
export type Holder = Static<typeof Holder>;

export const Volume = Type.Object({
  name: Type.String(),
  kind: VolumeKind,
  target: Type.Optional(
    Type.String({
      description: 'The machine that it is on, where that is another one than this: absent else.',
    }),
  ),
  role: VolumeRole,
  /** The workspace that it belongs to. */
  workspace: Type.Optional(Type.String()),
  /** false: made by another tool; shown, browsable, never deleted without consent. */
  managed: Type.Boolean(),
  /** The other installation that made it: only that one uses and deletes it. */
  owner: Type.Optional(Owner),
  /** Tells it from another one of its name that was made later; where its driver can. */
  id: Type.Optional(Type.String()),
  createdAt: Type.Optional(Timestamp),
  /** Fixed size of a disk. */
  sizeMiB: Type.Optional(Type.Integer()),
  path: Type.Optional(Type.String({ description: 'The file or folder of this machine that it is.' })),
  /** Bytes in use; only when known: ask with `usage=true`. */
  usedBytes: Type.Optional(Type.Integer()),
  usedIsAtLeast: Type.Optional(
    Type.Boolean({ description: 'Some of it could not be read: there is more than `usedBytes`.' }),
  ),
  usedAt: Type.Optional(Timestamp),
  holders: Type.Array(Holder),
  labels: Type.Record(Type.String(), Type.String()),
  protected: Type.Optional(
    Type.Boolean({ description: 'It is not deleted, neither by itself nor with its workspace.' }),
  ),
});
export type Volume = Static<typeof Volume>;

export const VolumeCreate = Type.Object(
  {
    name: { ...Name, ...namesVolume },
    kind: Type.Optional(VolumeKind),
    sizeMiB: Type.Optional(Type.Integer(diskBounds)),
    labels: Type.Optional(
      Type.Record(Type.String({ pattern: volumeLabel }), Type.String({ maxLength: 1024, pattern: oneLine }), {
        additionalProperties: false,
      }),
    ),
  },
  { additionalProperties: false },
);
export type VolumeCreate = Static<typeof VolumeCreate>;

export const VolumePatch = Type.Object(
  { protected: Type.Boolean({ description: 'Whether deletes of it are refused from now on.' }) },
  { additionalProperties: false },
);
export type VolumePatch = Static<typeof VolumePatch>;
