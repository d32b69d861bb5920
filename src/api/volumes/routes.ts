/** The part of the contract that is about volumes: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { diskBounds } from '../rules/sizes';
import { namesVolume } from '../rules/principal';
import { RuntimeTarget } from '../workspaces/schemas';
import { Flag, takeOver, VolumeName } from '../common';
import { Volume, VolumeCreate, VolumePatch } from './schemas';

const ByVolume = Type.Object({ volume: { ...VolumeName, ...namesVolume } });

export const volumeRoutes = {
  'volumes.list': {
    summary: 'All volumes, or those of one machine; `usage` measures them (slow)',
    tag: 'volumes',
    scope: 'read',
    query: Type.Object({ usage: Type.Optional(Flag), target: Type.Optional(RuntimeTarget) }),
    response: Type.Array(Volume),
  },
  'volumes.create': {
    summary: 'Create a volume',
    tag: 'volumes',
    scope: 'manage',
    body: VolumeCreate,
    response: Volume,
  },
  'volumes.get': {
    summary: 'One volume; `usage` measures it',
    tag: 'volumes',
    scope: 'read',
    params: ByVolume,
    query: Type.Object({ usage: Type.Optional(Flag) }),
    response: Volume,
  },
  'volumes.update': {
    summary: 'Protect a volume from deletes, or take that away',
    tag: 'volumes',
    scope: 'manage',
    params: ByVolume,
    body: VolumePatch,
    response: Volume,
  },
  'volumes.delete': {
    summary: 'Delete a volume that nothing holds; it is kept in the trash for a while, unless `now`',
    tag: 'volumes',
    scope: 'manage',
    params: ByVolume,
    query: Type.Object({ force: Type.Optional(Flag), now: Type.Optional(Flag) }),
    response: Type.Object({
      deleted: Type.Boolean(),
      trash: Type.Optional(Type.String({ description: 'The id that it has in the trash.' })),
    }),
  },
  'volumes.adopt': {
    summary: 'Take over a volume that another tool or installation made',
    tag: 'volumes',
    scope: 'local',
    params: ByVolume,
    body: Type.Object({ takeOver }, { additionalProperties: false }),
    response: Volume,
  },
  'volumes.resize': {
    summary: 'Grow a detached disk',
    tag: 'volumes',
    scope: 'manage',
    params: ByVolume,
    body: Type.Object({ sizeMiB: Type.Integer(diskBounds) }, { additionalProperties: false }),
    response: Volume,
  },
} as const;
