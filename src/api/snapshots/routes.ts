/** The part of the contract that is about snapshots: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { Flag, VolumeName, Waiting } from '../common';
import { Operation } from '../operations/schemas';
import { namesSnapshot, namesVolume } from '../rules/principal';
import { PruneRequest, Snapshot, SnapshotCreate, SnapshotPatch } from './schemas';

const ByVolume = Type.Object({ volume: { ...VolumeName, ...namesVolume } });
const BySnapshot = Type.Object({
  ...ByVolume.properties,
  snapshot: Type.String({
    ...{ minLength: 1, maxLength: 63, description: 'Its id or its name.' },
    ...namesSnapshot,
  }),
});

export const snapshotRoutes = {
  'snapshots.listAll': {
    summary: 'Snapshots of all volumes, newest first; also of those that are gone',
    tag: 'snapshots',
    scope: 'read',
    response: Type.Array(Snapshot),
  },
  'snapshots.list': {
    summary: 'Snapshots of a volume, newest first; also of one that is gone',
    tag: 'snapshots',
    scope: 'read',
    params: ByVolume,
    response: Type.Array(Snapshot),
  },
  'snapshots.create': {
    summary: 'Make a snapshot of a volume; nothing may run on a disk',
    tag: 'snapshots',
    scope: 'manage',
    params: ByVolume,
    query: Waiting,
    body: SnapshotCreate,
    response: Operation,
  },
  'snapshots.get': {
    summary: 'One snapshot',
    tag: 'snapshots',
    scope: 'read',
    params: BySnapshot,
    response: Snapshot,
  },
  'snapshots.delete': {
    summary: 'Delete a snapshot',
    tag: 'snapshots',
    scope: 'manage',
    params: BySnapshot,
    response: Type.Object({ deleted: Type.Boolean() }),
  },
  'snapshots.update': {
    summary: 'Protect a snapshot from deletes, or no longer',
    tag: 'snapshots',
    scope: 'manage',
    params: BySnapshot,
    body: SnapshotPatch,
    response: Snapshot,
  },
  'snapshots.prune': {
    summary: 'Delete the snapshots of a volume that no rule keeps; protected ones and those with a name stay',
    tag: 'snapshots',
    scope: 'manage',
    params: ByVolume,
    query: Waiting,
    body: PruneRequest,
    response: Operation,
  },
  'snapshots.verify': {
    summary: 'Read a snapshot, and say what is not as it was when it was made',
    tag: 'snapshots',
    scope: 'use',
    params: BySnapshot,
    query: Waiting,
    body: Type.Object(
      { full: Type.Optional({ ...Flag, description: 'Also what has not changed since it was last read.' }) },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'snapshots.restore': {
    summary:
      'Put a volume back as it was; what is there now becomes a snapshot first, unless `keep` is false',
    tag: 'snapshots',
    scope: 'manage',
    params: BySnapshot,
    query: Waiting,
    body: Type.Object({ keep: Type.Optional(Flag) }, { additionalProperties: false }),
    response: Operation,
  },
} as const;
