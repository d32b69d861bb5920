/** What the engine keeps to be quicker the next time. All of it is made again when it is needed. */
import { Type, type Static } from '@sinclair/typebox';
import { literals } from '../common';

/** Kernels and programs of microVMs, microVMs saved right after their boot, file systems made of images. */
export const CacheId = literals(['guest-kits', 'templates', 'root-images']);
export type CacheId = Static<typeof CacheId>;

export const Cache = Type.Object({
  id: CacheId,
  path: Type.String({ description: 'The folder that it is in.' }),
  count: Type.Integer({ minimum: 0, description: 'How many kernels, states or file systems there are.' }),
  bytes: Type.Integer({ minimum: 0, description: 'Its room on the disk.' }),
  freeableBytes: Type.Integer({
    minimum: 0,
    description: 'What a clean-up frees: what is in use, or needed for the next start, stays.',
  }),
});
export type Cache = Static<typeof Cache>;

export const CachesClean = Type.Object(
  { caches: Type.Array(CacheId, { minItems: 1, maxItems: 16 }) },
  { additionalProperties: false },
);

export const CachesCleaned = Type.Object({ freedBytes: Type.Integer({ minimum: 0 }) });
export type CachesCleaned = Static<typeof CachesCleaned>;
