/** The JSON documents of images (OCI image specification 1.1, and Docker's of the same meaning), checked as they are read. */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { BerthError } from '../../../api/errors';
import { mebibyte } from '../../../api/rules/sizes';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  plainLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

/** Documents are small; layers are not documents. */
export const maxDocumentBytes = 4 * mebibyte;
export const refName = 'org.opencontainers.image.ref.name';
/** What containerd and newer Dockers put the whole name in. */
export const imageName = 'io.containerd.image.name';

const Texts = Type.Record(Type.String(), Type.String());

export const Descriptor = Type.Object({
  mediaType: Type.String(),
  digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
  size: Type.Integer({ minimum: 0 }),
  annotations: Type.Optional(Texts),
  platform: Type.Optional(
    Type.Object({
      architecture: Type.String(),
      os: Type.String(),
      variant: Type.Optional(Type.String()),
    }),
  ),
});
export type Descriptor = Static<typeof Descriptor>;

export const Index = Type.Object({
  schemaVersion: Type.Literal(2),
  manifests: Type.Array(Descriptor, { maxItems: 10_000 }),
});
export type Index = Static<typeof Index>;

export const Manifest = Type.Object({
  schemaVersion: Type.Literal(2),
  config: Descriptor,
  layers: Type.Array(Descriptor, { maxItems: 1_000 }),
});
export type Manifest = Static<typeof Manifest>;

const Words = Type.Union([Type.Array(Type.String()), Type.Null()]);
export const ImageDocument = Type.Object({
  architecture: Type.String(),
  os: Type.String(),
  created: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  config: Type.Optional(
    Type.Union([
      Type.Object({
        Env: Type.Optional(Words),
        User: Type.Optional(Type.String()),
        WorkingDir: Type.Optional(Type.String()),
        Entrypoint: Type.Optional(Words),
        Cmd: Type.Optional(Words),
      }),
      Type.Null(),
    ]),
  ),
  rootfs: Type.Object({
    type: Type.Literal('layers'),
    diff_ids: Type.Array(Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }), { maxItems: 1_000 }),
  }),
});
export type ImageDocument = Static<typeof ImageDocument>;

/**
 * `what`: for people, e.g. `The manifest of oci:/x`. Throws `bad_request` for what is no JSON, or not as the schema
 * says.
 */
export function parseDocument<S extends TSchema>(schema: S, bytes: Buffer, what: string): Static<S> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new BerthError('bad_request', `${what} is not JSON.`, { field: 'image', cause: error });
  }
  if (!Value.Check(schema, value)) {
    const first = Value.Errors(schema, value).First();
    const where = first === undefined || first.path === '' ? '' : ` at ${first.path}`;
    throw new BerthError('bad_request', `${what} is not valid${where}: ${first?.message ?? 'unknown'}.`, {
      field: 'image',
    });
  }
  return value;
}
