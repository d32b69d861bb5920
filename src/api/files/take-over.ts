/** Taking over what a comparison has found: what is asked, and what comes of it. */
import { Type, type Static } from '@sinclair/typebox';
import { FilesName, Flag, literals, VolumePath } from '../common';
import { Operation } from '../operations/schemas';
import { ComparedFile } from './compare';

const Folder = Type.Object({ volume: FilesName, path: VolumePath }, { additionalProperties: false });

export const TakenChange = Type.Object(
  {
    path: {
      ...VolumePath,
      description: 'From the two folders on, beginning with a slash, as in the comparison.',
    },
    from: Type.Optional({
      ...ComparedFile,
      description:
        'What it was when it was compared, where it comes from; absent: nothing, so it is deleted.',
    }),
    to: Type.Optional({
      ...ComparedFile,
      description: 'What it was when it was compared, where it is to go; absent: nothing.',
    }),
  },
  { additionalProperties: false },
);
export type TakenChange = Static<typeof TakenChange>;

/** A folder that is new is to come by one request. */
const maxTakenChanges = 200_000;

/** Of a folder only those of its files come that are named themselves. */
export const TakeOverCreate = Type.Object(
  {
    from: Folder,
    to: Folder,
    changes: Type.Array(TakenChange, { minItems: 1, maxItems: maxTakenChanges }),
    overwrite: Type.Optional({
      ...Flag,
      description: 'Also what has changed since where it is to go: else that is left as it is.',
    }),
  },
  { additionalProperties: false },
);
export type TakeOverCreate = Static<typeof TakeOverCreate>;

/** `target`: changed since where it was to go; `source`: where it comes from; `failed`: as `reason` says. */
export const LeftReason = literals(['target', 'source', 'failed']);
export type LeftReason = Static<typeof LeftReason>;

export const TakeOverResult = Type.Object({
  taken: Type.Integer({ description: 'Files, links and folders.' }),
  removed: Type.Integer(),
  bytes: Type.Integer(),
  left: Type.Array(Type.Object({ path: Type.String(), why: LeftReason, reason: Type.String() }), {
    description: 'What was left as it was, the first thousand.',
  }),
  leftInAll: Type.Integer(),
});
export type TakeOverResult = Static<typeof TakeOverResult>;

export const TakeOverOperation = Type.Object({
  ...Operation.properties,
  result: Type.Optional(TakeOverResult),
});
export type TakeOverOperation = Static<typeof TakeOverOperation>;
