/** What comes of forks: each for itself. */
import { Type, type Static } from '@sinclair/typebox';
import { ErrorBody } from '../stream-schemas';

export const ForkOutcome = Type.Union([
  Type.Object({ ok: Type.Literal(true), workspace: Type.String() }),
  Type.Object({ ok: Type.Literal(false), workspace: Type.String(), error: ErrorBody }),
]);
export type ForkOutcome = Static<typeof ForkOutcome>;

export const ForkResult = Type.Object({
  notes: Type.Optional(
    Type.Array(Type.String(), { description: 'What no fork has as its source has it, in words.' }),
  ),
  forks: Type.Array(ForkOutcome, { description: 'What became of each, in the order of their names.' }),
});
export type ForkResult = Static<typeof ForkResult>;

export const KeepResult = Type.Object({
  workspace: Type.String({ description: 'The one that has the files of the fork now.' }),
  before: Type.Array(Type.Object({ volume: Type.String(), snapshot: Type.String() }), {
    description: 'What its volumes had before, as snapshots: restore them to undo.',
  }),
  imageBefore: Type.Optional(
    Type.String({ description: 'What it had outside of volumes before: rebuild it from that to undo.' }),
  ),
  deleted: Type.Array(Type.String()),
  notDeleted: Type.Array(Type.Object({ workspace: Type.String(), error: ErrorBody })),
});
export type KeepResult = Static<typeof KeepResult>;
