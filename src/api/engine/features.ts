/** What a driver can do, so that a client offers only what works. */
import { Type, type Static } from '@sinclair/typebox';
import { literals } from '../common';
import { VolumeKind } from '../volumes/schemas';
import { Limits, Mount, NetworkMode } from '../workspaces/schemas';

const LimitName = Type.KeyOf(Limits);

export const DriverFeatures = Type.Object(
  {
    networks: Type.Array(NetworkMode, { description: 'What a workspace may ask for.' }),
    mounts: Type.Array(Mount.properties.kind, {
      description: 'Sources of extra volumes: named volumes, raw disk images of the user, tar bundles.',
    }),
    volumeKinds: Type.Array(VolumeKind, { description: 'What it can make; homes are of the first kind.' }),
    sharedVolumes: Type.Boolean({
      description:
        'Mounts volumes of the kind `directory`, whoever made them, at several workspaces at once.',
    }),
    commit: Type.Optional(
      literals(['always', 'live', 'stopped'], {
        description:
          'Makes images of its runtimes: in each settled state, those that run being paused meanwhile (`always`) or going on (`live`), or of those that are stopped. Absent: not at all.',
      }),
    ),
    liveLimits: Type.Array(LimitName, {
      description:
        'Limits that can change while a workspace runs; others wait for its next start or a rebuild.',
    }),
    maxMounts: Type.Optional(
      Type.Integer({ description: 'Extra volumes of one workspace. Absent: any number.' }),
    ),
    portsWithoutNetwork: Type.Boolean({
      description: 'Publishes ports of a workspace that has no network.',
    }),
    livePorts: Type.Boolean({ description: 'Published ports can change while a workspace runs.' }),
    pauseSavesMemory: Type.Boolean({
      description: 'A paused workspace is saved to a disk: it takes no memory, and goes on after a reboot.',
    }),
    docker: Type.Optional(
      literals(['privileged', 'isolated'], {
        description:
          'A Docker inside: with the rights of this machine, or of a machine of its own. Absent: none.',
      }),
    ),
    stoppedFiles: Type.Boolean({
      description: 'Files outside of volumes can be read while the workspace does not run.',
    }),
  },
  { additionalProperties: false },
);
export type DriverFeatures = Static<typeof DriverFeatures>;
