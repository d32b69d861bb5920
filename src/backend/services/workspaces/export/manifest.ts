/** What the first member of a workspace file says: `berth.json`. Contains no secret. */
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { asBerthError, BerthError } from '../../../../api/errors';
import { checkCloneAddress, checkCloneOptions } from '../../../../api/rules/clone-address';
import { checkImage, imageFile } from '../../../../api/rules/image-reference';
import { diskBounds, mebibyte } from '../../../../api/rules/sizes';
import { variablePattern, volumeNamePattern } from '../../../../api/rules/names';
import { Label, Name, Timestamp, literals } from '../../../../api/common';
import { Tags } from '../../../../api/workspaces/marks';
import { WorkspaceSpec } from '../../../../api/workspaces/schemas';
import { parseMount } from '../start/mount-syntax';
import { damaged } from './damaged';

export const manifestName = 'berth.json';
export const format = 'berth-workspace';
export const formatVersion = 1;
export const maxManifestBytes = mebibyte;

/** What does not name anything of the machine that it comes from. */
const PortableSpec = Type.Omit(WorkspaceSpec, ['target', 'credentialFiles', 'postStart', 'secretNames'], {
  additionalProperties: false,
});
export type PortableSpec = Static<typeof PortableSpec>;

const Volume = Type.Object(
  {
    role: literals(['home', 'named']),
    name: Type.String({ pattern: volumeNamePattern }),
    /** Of its files, about. */
    bytes: Type.Integer({ minimum: 0 }),
    /** Of one that is a disk. */
    sizeMiB: Type.Optional(Type.Integer(diskBounds)),
  },
  { additionalProperties: false },
);

export const Manifest = Type.Object(
  {
    format: Type.Literal(format),
    version: Type.Literal(formatVersion),
    createdAt: Timestamp,
    workspace: Type.Object(
      {
        name: Name,
        label: Label,
        tags: Type.Optional(Tags),
        cloned: Type.Boolean(),
        spec: PortableSpec,
        /** To be set again: their values are in no file. */
        secretNames: Type.Optional(Type.Array(Type.String({ pattern: variablePattern }), { maxItems: 64 })),
      },
      { additionalProperties: false },
    ),
    image: Type.Object(
      {
        /** It is in the file, as `docker save` writes it; else whoever imports needs one of the spec's name. */
        isIncluded: Type.Boolean(),
        bytes: Type.Integer({ minimum: 0 }),
      },
      { additionalProperties: false },
    ),
    /** In the order of their members: the home is the last. */
    volumes: Type.Array(Volume, { minItems: 1, maxItems: 33 }),
    /** What the workspace has and the file has not, in words. */
    leftOut: Type.Array(Type.String({ maxLength: 10_000 }), { maxItems: 200 }),
  },
  { additionalProperties: false },
);
export type Manifest = Static<typeof Manifest>;
export type ExportedVolume = Static<typeof Volume>;

/** The error for a manifest that breaks a rule. */
type Fault = (why: string, cause?: unknown) => BerthError;
const ofFile: Fault = (why, cause) => damaged(manifestName, why, cause);

/** Throws `bad_request` for what is no manifest, or has values that no workspace can have. */
export function parseManifest(bytes: Buffer, fault = ofFile): Manifest {
  const value = jsonOf(bytes, fault);
  refuseNewer(value);
  if (!Value.Check(Manifest, value)) {
    const first = Value.Errors(Manifest, value).First();
    throw fault(`${first?.path ?? ''}: ${first?.message ?? 'it has another form'}`);
  }
  checkValues(value, fault);
  return value;
}

/** The bytes of the manifest. Throws `not_supported` for one that no import would take, with what is wrong with it. */
export function manifestBytes(manifest: Manifest): Buffer {
  const { name } = manifest.workspace;
  const fault: Fault = (why, cause) =>
    new BerthError('not_supported', `${name} can't be exported, as no import would take it: ${why}.`, {
      hint: 'Change that setting of the workspace, then export it again.',
      ...(cause !== undefined && { cause }),
    });
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  if (bytes.length > maxManifestBytes) {
    throw fault(`its settings take ${bytes.length} bytes, more than ${maxManifestBytes}`);
  }
  parseManifest(bytes, fault);
  return bytes;
}

function jsonOf(bytes: Buffer, fault: Fault): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw fault('it is no JSON', error);
  }
}

/** By a number alone: what else a later version has is not known. */
function refuseNewer(value: unknown): void {
  const isOurs = typeof value === 'object' && value !== null && 'format' in value && value.format === format;
  if (isOurs && 'version' in value && typeof value.version === 'number' && value.version > formatVersion) {
    throw new BerthError(
      'not_supported',
      `The file has the format ${value.version}; this version of Berth reads ${formatVersion}.`,
      { field: 'file', hint: 'Update Berth, then import it again.' },
    );
  }
}

/** A rule of a create, broken by the manifest. */
function ruled<T>(check: () => T, fault: Fault): T {
  try {
    return check();
  } catch (error) {
    throw fault(asBerthError(error).message.replace(/\.$/, ''), error);
  }
}

/** What a create checks beyond its schema. */
function checkValues({ workspace: { spec }, volumes, image }: Manifest, fault: Fault): void {
  const { cloneUrl, mounts = [] } = spec;
  if (!image.isIncluded) {
    // It would be read with the rights of whoever imports.
    if (imageFile(spec.image) !== undefined) {
      throw fault(`the image ${JSON.stringify(spec.image)} is a path, and is not in the file`);
    }
    ruled(() => checkImage(spec.image, spec.runtime), fault);
  }
  if (cloneUrl !== undefined) {
    ruled(() => checkCloneAddress(cloneUrl), fault);
  }
  ruled(() => checkCloneOptions(spec), fault);
  for (const mount of mounts) {
    const text = `${mount.source}:${mount.target}:${mount.readOnly ? 'ro' : 'rw'}`;
    const { kind, source, target, readOnly } = ruled(() => parseMount(text, 'file'), fault);
    const isSame = kind === mount.kind && source === mount.source && target === mount.target;
    if (!isSame || kind !== 'volume' || readOnly) {
      throw fault(`the mount at ${JSON.stringify(mount.target)} is none of a volume`);
    }
  }
  const named = volumes.slice(0, -1);
  const sources = new Set(mounts.map(({ source }) => source));
  const isWhole =
    volumes.at(-1)?.role === 'home' &&
    named.every(({ role, name }) => role === 'named' && sources.has(name)) &&
    new Set(named.map(({ name }) => name)).size === named.length &&
    named.length === sources.size;
  if (!isWhole) {
    throw fault('its volumes are not those of its mounts and the home');
  }
}
