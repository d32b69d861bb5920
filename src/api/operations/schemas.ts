import { Type, type Static } from '@sinclair/typebox';
import { RemedyWord, Timestamp, literals } from '../common';
import { Step } from '../workspaces/schemas';

export const OperationStatus = literals(['running', 'succeeded', 'failed', 'cancelled', 'interrupted']);
export type OperationStatus = Static<typeof OperationStatus>;

export const Progress = Type.Object({
  /** Bytes for transfers and pulls, else steps. */
  unit: literals(['bytes', 'steps', 'files']),
  done: Type.Number(),
  total: Type.Optional(Type.Number()),
  /** Units per second, smoothed. */
  rate: Type.Optional(Type.Number()),
  /** What is being worked on, e.g. a file's name. */
  current: Type.Optional(Type.String()),
});
export type Progress = Static<typeof Progress>;

export const Operation = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: 'E.g. `workspace.create`, `transfer`, `image.pull`.' }),
  title: Type.String({ description: 'For people, e.g. `Create workspace demo`.' }),
  workspace: Type.Optional(Type.String()),
  volume: Type.Optional(Type.String()),
  by: Type.Optional(Type.String({ description: 'The token that asked for it; absent: the user.' })),
  status: OperationStatus,
  cancellable: Type.Boolean(),
  startedAt: Timestamp,
  endedAt: Type.Optional(Timestamp),
  steps: Type.Array(Step),
  progress: Type.Optional(Progress),
  /** Things that went wrong without failing the whole. */
  warnings: Type.Array(Type.String()),
  /** What it produced, e.g. counts of a transfer. */
  result: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  error: Type.Optional(
    Type.Object({
      code: Type.String(),
      message: Type.String(),
      hint: Type.Optional(Type.String()),
      field: Type.Optional(Type.String()),
      remedy: Type.Optional(RemedyWord),
      detail: Type.Optional(Type.String()),
    }),
  ),
});
export type Operation = Static<typeof Operation>;

/** What became of a transfer. */
export const TransferResult = Type.Object({
  files: Type.Integer(),
  bytes: Type.Integer(),
  skipped: Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }), {
    description: 'What was there already and stayed, or has no meaning at the target.',
  }),
  renamed: Type.Array(Type.Object({ from: Type.String(), to: Type.String() })),
  failed: Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }), {
    description: 'What was not copied, or, of a move, stays where it was, and why.',
  }),
});
export type TransferResult = Static<typeof TransferResult>;

/** What became of a removal. */
export const RemovalResult = Type.Object({
  removed: Type.Integer({ description: 'Names that are gone: files, links and folders.' }),
  failed: Type.Array(Type.Object({ path: Type.String(), reason: Type.String() })),
});
export type RemovalResult = Static<typeof RemovalResult>;

export const RemovalOperation = Type.Object({
  ...Operation.properties,
  result: Type.Optional(RemovalResult),
});
export type RemovalOperation = Static<typeof RemovalOperation>;

export const TransferOperation = Type.Object({
  ...Operation.properties,
  result: Type.Optional(TransferResult),
});
export type TransferOperation = Static<typeof TransferOperation>;
