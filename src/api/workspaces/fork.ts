/** Forks: new workspaces that begin with what another one has, and go their own way. */
import { Type, type Static } from '@sinclair/typebox';
import { Name, Timestamp } from '../common';
import { snapshotIdPattern } from '../rules/names';
import { namesSnapshot, namesWorkspace } from '../rules/principal';

/** At once. */
export const maxForks = 32;

export const ForkRequest = Type.Object(
  {
    names: Type.Optional(
      Type.Array(Type.String({ ...Name, ...namesWorkspace }), {
        minItems: 1,
        maxItems: maxForks,
        uniqueItems: true,
        description: 'Of the forks. If absent: `count` names that are free, NAME-fork and so on.',
      }),
    ),
    count: Type.Optional(
      Type.Integer({ minimum: 1, maximum: maxForks, default: 1, description: 'Without `names`: how many.' }),
    ),
    snapshot: Type.Optional(
      Type.String({
        ...namesSnapshot,
        minLength: 1,
        maxLength: 63,
        description:
          'Of its home, by id or name: the forks begin with that. If absent: with what is there now.',
      }),
    ),
    start: Type.Optional(Type.Boolean({ default: true, description: 'false leaves them stopped.' })),
  },
  { additionalProperties: false },
);
export type ForkRequest = Static<typeof ForkRequest>;

/** Where a workspace comes from that was made as a fork. */
export const ForkOrigin = Type.Object({
  workspace: Type.String({ description: 'The one that it is a fork of. It may be gone by now.' }),
  at: Timestamp,
  snapshot: Type.String({
    pattern: snapshotIdPattern,
    description: 'What its home began with. It is deleted with the last fork that was made of it.',
  }),
  volumes: Type.Optional(
    Type.Array(Type.Object({ volume: Type.String(), copyOf: Type.String() }), {
      description: 'Copies of named volumes: they go when it is deleted.',
    }),
  ),
});
export type ForkOrigin = Static<typeof ForkOrigin>;

export const KeepRequest = Type.Object(
  {
    delete: Type.Optional(
      Type.Array(Type.String({ ...Name, ...namesWorkspace }), {
        maxItems: maxForks * 8,
        uniqueItems: true,
        description:
          'Forks of the same workspace that are deleted when its files are there, this one or others.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type KeepRequest = Static<typeof KeepRequest>;
