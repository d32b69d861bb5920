/** Workspaces as files: `NAME.berth`. */
import { Type, type Static } from '@sinclair/typebox';
import { Flag, Name, literals } from '../common';
import { namesWorkspace } from '../rules/principal';
import { RuntimeKind } from './schemas';

/** Of the answer to an export: the id of its operation, which has the error if the content is cut off. */
export const operationHeader = 'berth-operation';

export const ExportQuery = Type.Object({
  image: Type.Optional(
    literals(['include', 'reference'], {
      default: 'include',
      description:
        '`include`: with its image and what was installed. `reference`: with the name of the image alone.',
    }),
  ),
});
export type ExportQuery = Static<typeof ExportQuery>;

const LeftOut = Type.Array(Type.String(), { description: 'What the file has not, in words.' });

export const ExportResult = Type.Object({ workspace: Type.String(), leftOut: LeftOut });
export type ExportResult = Static<typeof ExportResult>;

export const ImportQuery = Type.Object({
  name: Type.Optional({ ...Name, ...namesWorkspace, description: 'If absent: the one in the file.' }),
  runtime: Type.Optional(RuntimeKind),
  start: Type.Optional(Type.Boolean({ default: true, description: 'false leaves it stopped.' })),
  trust: Type.Optional({
    ...Flag,
    description:
      'Consent to what reaches beyond the workspace: a Docker daemon inside, the way to what listens on loopback, and the published ports that it had.',
  }),
});
export type ImportQuery = Static<typeof ImportQuery>;

export const ImportResult = Type.Object({
  workspace: Type.String(),
  leftOut: LeftOut,
  volumes: Type.Array(Type.String(), { description: 'Named volumes that were made.' }),
  renamed: Type.Array(Type.Object({ from: Type.String(), to: Type.String() }), {
    description: 'Named volumes that have another name here, as theirs was taken.',
  }),
  ports: Type.Array(Type.Object({ from: Type.Integer(), guest: Type.Integer() }), {
    description:
      'Published ports whose number is another one here: theirs was taken, or the import was not trusted.',
  }),
  published: Type.Array(Type.Object({ host: Type.Integer(), guest: Type.Integer() }), {
    description: 'All that are open on the loopback of this machine now.',
  }),
  secretNames: Type.Array(Type.String(), { description: 'Secrets to be set: the file has no values.' }),
  warnings: Type.Array(Type.String()),
});
export type ImportResult = Static<typeof ImportResult>;
