/** What goes through the streams of `streamPaths`: messages of terminals and commands, events. */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { errorStatus } from './errors';
import type { EventType } from './events';
import { RemedyWord, literals } from './common';
import { DriverStatus } from './engine/schemas';
import { FileChange } from './files/schemas';
import { Operation } from './operations/schemas';
import { Volume } from './volumes/schemas';
import { Cwd, Environment, UserName, Workspace } from './workspaces/schemas';

export const ErrorBody = Type.Object({
  code: literals(Object.keys(errorStatus), { description: 'For programs: stays as it is.' }),
  message: Type.String({ description: 'What happened.' }),
  hint: Type.Optional(Type.String({ description: 'What to do about it.' })),
  field: Type.Optional(
    Type.String({ description: 'The input at fault, as a dotted path, e.g. `limits.cpus`.' }),
  ),
  remedy: Type.Optional(RemedyWord),
  detail: Type.Optional(Type.String({ description: 'What the program below said, word for word.' })),
});

const Size = Type.Integer({ minimum: 1, maximum: 10_000 });

/** The first text message of a client. */
export const AttachStart = Type.Object(
  {
    argv: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        maxItems: 4096,
        description: "The user's login shell when left out.",
      }),
    ),
    tty: Type.Boolean(),
    cols: Type.Optional(Size),
    rows: Type.Optional(Size),
    env: Type.Optional(Environment),
    cwd: Cwd,
    user: Type.Optional(UserName),
  },
  { additionalProperties: false },
);
export type AttachStart = Static<typeof AttachStart>;

/** The text messages of a client after the first. */
export const AttachInput = Type.Union([
  Type.Object({ type: Type.Literal('resize'), cols: Size, rows: Size }),
  Type.Object({ type: Type.Literal('end-of-input') }),
]);
export type AttachInput = Static<typeof AttachInput>;

/** The text messages of the engine. */
export const AttachOutput = Type.Union([
  Type.Object({ type: Type.Literal('started') }),
  Type.Object({ type: Type.Literal('exit'), exitCode: Type.Integer() }),
  Type.Object({ type: Type.Literal('error'), error: ErrorBody }),
]);
export type AttachOutput = Static<typeof AttachOutput>;

const payloads = {
  'workspace.changed': Workspace,
  'workspace.deleted': Type.Object({ name: Type.String() }),
  'volume.changed': Volume,
  'volume.deleted': Type.Object({ name: Type.String() }),
  'operation.changed': Operation,
  'files.changed': Type.Object({ volume: Type.String(), changes: Type.Array(FileChange) }),
  'driver.changed': DriverStatus,
  reset: Type.Object({ reason: Type.String() }),
} satisfies Record<EventType, TSchema>;

/** The data of one server-sent event. */
export const EngineEvent = Type.Union(
  Object.entries(payloads).map(([type, payload]) =>
    Type.Object({ id: Type.Integer(), type: Type.Literal(type), payload }),
  ),
);
