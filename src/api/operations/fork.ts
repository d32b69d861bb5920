/** What comes of forks: each for itself. */
import { Type, type Static } from '@sinclair/typebox';
import { ErrorBody } from '../stream-schemas';

export const ForkOutcome = Type.Union([
  Type.Object({ ok: Type.Literal(true), workspace: Type.String() }),
  Type.Object({ ok: Type.Literal(false), workspace: Type.String(), error: ErrorBody }),
]);
export type ForkOutcome = Static<typeof ForkOutcome>;

export const ForkResult = Type.Object({
  forks: Type.Array(ForkOutcome, { description: 'What became of each, in the order of their names.' }),
});
export type ForkResult = Static<typeof ForkResult>;
