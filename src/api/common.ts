import {
  Kind,
  Type,
  TypeRegistry,
  type SchemaOptions,
  type Static,
  type TSchema,
  type TUnion,
} from '@sinclair/typebox';
import { maxNameLength, namePattern, volumeNamePattern } from './rules/names';
import { namesWorkspace } from './rules/principal';
import { namesVolume } from './rules/principal';
import { remedies } from './rules/remedy';
import { filesNamePattern } from './rules/root-files';

/** The one name type of Berth: workspaces, volumes, snapshots. */
export const Name = Type.String({
  pattern: namePattern,
  maxLength: maxNameLength,
  description:
    'Lowercase letters, digits and hyphens; 1 to 63 characters; neither starts nor ends with a hyphen.',
});

/** A volume's name: ours follow `Name`, those that other tools made may have capitals, dots and underscores. */
export const VolumeName = Type.String({
  pattern: volumeNamePattern,
  description:
    'The name of a volume as its driver knows it; of a session volume also its id alone, except to delete it.',
});

/** Where files are: a volume, the root file system of a workspace, or a snapshot (`root-files.ts`). */
export const FilesName = Type.String({
  ...namesVolume,
  pattern: filesNamePattern,
  description:
    'The name of a volume; `rootfs@<workspace>` for what a workspace has outside of its volumes (of one that does ' +
    'not run it can be read, not changed); or `snapshot@<id>` for the files of a snapshot, which can be read.',
});

/** No line break, no control character: what is shown in a row, a title, a configuration. */
export const oneLine = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$';

/** The name of a workspace for people. */
export const Label = Type.String({
  minLength: 1,
  maxLength: 80,
  pattern: oneLine,
  description: 'One line of 1 to 80 characters.',
});

export const Timestamp = Type.String({ description: 'ISO 8601, UTC.' });

/** Another installation of Berth, which made what is on the same Docker or Podman. */
export const Owner = Type.Object({
  installation: Type.String({ description: 'Its id.' }),
  home: Type.Optional(Type.String({ description: 'Its state directory.' })),
});
export type Owner = Static<typeof Owner>;

/** A path inside a volume: absolute from the volume's root, `/`-separated, no `..`. */
export const VolumePath = Type.String({
  pattern: '^/',
  maxLength: 4096,
  description: "A path from the volume's root, starting with `/`, without `..`.",
});

/** TypeBox checks records too, and knows no `enum` of its own. */
const literalsKind = 'BerthLiterals';
TypeRegistry.Set<{ enum: readonly unknown[] }>(literalsKind, (schema, value) => schema.enum.includes(value));

/** One of these texts; the error of a request that has another one lists them. */
export function literals<const T extends readonly string[]>(
  values: T,
  options: SchemaOptions = {},
): TSchema & { static: T[number]; params: unknown[] } {
  return Type.Unsafe<T[number]>({ [Kind]: literalsKind, type: 'string', enum: [...values], ...options });
}

/** The same, or null. */
export function nullable<T extends TSchema>(schema: T): TUnion<[T, ReturnType<typeof Type.Null>]> {
  return Type.Union([schema, Type.Null()]);
}

export const RemedyWord = literals(remedies, {
  description: 'What the hint ends with, for programs: what to do with the workspace.',
});

/** A query flag: `true`/`false` in the query string. */
export const Flag = Type.Boolean({ default: false });

/** How long the request may wait for the operation to end, in milliseconds; then it answers as it stands. */
export const Wait = Type.Integer({ minimum: 0, maximum: 600_000, default: 0 });
export const Waiting = Type.Object({ wait: Type.Optional(Wait) });

/** Parameters and bodies that several routes have. */
export const ByName = Type.Object({ name: { ...Name, ...namesWorkspace } });
export const ByImage = Type.Object(
  { image: Type.String({ minLength: 1, maxLength: 512 }) },
  { additionalProperties: false },
);
export const Nothing = Type.Object({}, { additionalProperties: false });
export const takeOver = Type.Optional(
  Type.Boolean({ description: 'Consent to take what another installation of Berth made.' }),
);
