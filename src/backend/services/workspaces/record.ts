/** What is kept of a workspace; survives everything but delete. Contains no secret. */
import { Type, type Static } from '@sinclair/typebox';
import { localTarget } from '../../../api/rules/runtimes';
import { redactAddresses } from '../../../api/rules/redact-addresses';
import { Name, Timestamp } from '../../../api/common';
import {
  OwnFiles,
  Problem,
  WorkspaceSpec,
  WorkspaceState,
  type Step,
  type Workspace,
} from '../../../api/workspaces/schemas';
import { ForkOrigin } from '../../../api/workspaces/fork';
import type { RecordFormat } from '../../store/records';
import { aliasOf } from '../../ssh/config';

export const WorkspaceRecord = Type.Object({
  name: Name,
  label: Type.String(),
  tags: Type.Optional(Type.Array(Type.String())),
  /** Archive, rebuild and delete are refused. */
  protected: Type.Optional(Type.Boolean()),
  favourite: Type.Optional(Type.Boolean()),
  state: WorkspaceState,
  stateDetail: Type.Optional(Type.String()),
  spec: WorkspaceSpec,
  sshPort: Type.Integer(),
  hostKey: Type.String({ description: 'Public; the private half is in `keys/hosts`.' }),
  homeVolume: Type.String(),
  dockerVolume: Type.Optional(Type.String()),
  /** Volumes that came into being with it: removed when its create fails. */
  createdVolumes: Type.Array(Type.String()),
  /** The repository was cloned, or is known to be there. */
  cloned: Type.Boolean(),
  imageId: Type.Optional(Type.String()),
  runtimeId: Type.Optional(Type.String()),
  /** Deleted when no client holds its lease: `leases.ts`. Set by its create alone; it may be made one that stays. */
  temporary: Type.Optional(Type.Boolean()),
  createdAt: Timestamp,
  lastUsedAt: Timestamp,
  startedAt: Type.Optional(Timestamp),
  /** Ids of its volumes by their names, where they have any: another one of that name is not taken for it. */
  volumeIds: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** The container engine that had its runtime when that was last started: a machine may have several. */
  engine: Type.Optional(Type.Object({ id: Type.String(), host: Type.String() })),
  /** A rebuild or an adoption has begun and the new runtime has not answered: what the old one is, which waits aside. */
  replaced: Type.Optional(
    Type.Object({
      image: Type.String(),
      imageId: Type.Optional(Type.String()),
      /** Undefined where there was none. */
      runtimeId: Type.Optional(Type.String()),
      /** It is another tool's, or another installation's: then the record goes, and it is as it was. */
      adoption: Type.Optional(
        Type.Object({
          wasRunning: Type.Boolean(),
          /** Volumes that this adoption has taken over from another installation. */
          takenOver: Type.Array(Type.String()),
        }),
      ),
    }),
  ),
  forkedFrom: Type.Optional(ForkOrigin),
  /** Its volumes have not got the files of the workspace that it is a fork of yet. */
  isUnfilled: Type.Optional(Type.Boolean()),
  /** An image of what it had outside of volumes before it took a fork over: goes with it, or with the next. */
  keptImage: Type.Optional(Type.String()),
  /** The item of the trash that it is being restored from: until it has all of it. */
  fromTrash: Type.Optional(Type.String()),
  /** A delete is under way, or has failed half-way, and what it keeps is that item of the trash. */
  toTrash: Type.Optional(Type.String()),
  /** It is taking a fork over: what to go back to as far as it has come. Cut off when there is one at a start of the engine. */
  taking: Type.Optional(
    Type.Object({
      fork: Type.String(),
      before: Type.Array(Type.Object({ volume: Type.String(), snapshot: Type.String() })),
      imageBefore: Type.Optional(Type.String()),
    }),
  ),
  /** Its system has ids and keys of the one that it was copied from: its first start renews them. */
  isIdentityCopied: Type.Optional(Type.Boolean()),
  /** What lies in the runtime outside of volumes, as last measured. */
  ownFiles: Type.Optional(OwnFiles),
  /** It has stopped, and the snapshot that it wants made then is not there yet. */
  isSnapshotDue: Type.Optional(Type.Boolean()),
  /** A delete has begun to remove what it has: where it is cut off, it is finished. Before that it is as if it had never been. */
  removes: Type.Optional(Type.Boolean()),
  /** A delete is under way that leaves its volumes. */
  keepsVolumes: Type.Optional(Type.Boolean()),
  problem: Type.Optional(Problem),
  warnings: Type.Array(Problem),
});
export type WorkspaceRecord = Static<typeof WorkspaceRecord>;

export const workspaceFormat: RecordFormat<typeof WorkspaceRecord> = {
  version: 1,
  schema: WorkspaceRecord,
  migrations: [],
};

/** On another machine: the engine carries the connections to it. */
export function isElsewhere({ spec: { target = localTarget } }: Pick<WorkspaceRecord, 'spec'>): boolean {
  return target !== localTarget;
}

/** Container, microVM and home volume have the same name. */
export function runtimeNameOf(workspace: string): string {
  return `workspace-${workspace}`;
}

/** The volume that a Docker inside of that workspace keeps its images and containers in. */
export function dockerVolumeOf(workspace: string): string {
  return `workspace-${workspace}-docker`;
}

/** What operations tell about a workspace. */
export interface WorkspaceActivity {
  /** Ids of those that run now. */
  operations: string[];
  /** The steps of the last one that built or started it. */
  steps: Step[];
}

/**
 * A record as the API shows it. `attached` is how many clients use it now; absent where nobody has
 * counted.
 */
export function toWorkspace(
  record: WorkspaceRecord,
  activity: WorkspaceActivity,
  attached?: number,
): Workspace {
  const {
    hostKey,
    createdVolumes,
    cloned,
    isSnapshotDue,
    removes,
    keepsVolumes,
    volumeIds,
    engine,
    replaced,
    isUnfilled,
    isIdentityCopied,
    keptImage,
    taking,
    fromTrash,
    toTrash,
    spec,
    problem,
    warnings,
    ...shown
  } = record;
  const { cloneUrl } = spec;
  return {
    ...shown,
    // Older versions have taken addresses with tokens in them.
    spec: {
      target: localTarget,
      ...spec,
      ...(cloneUrl !== undefined && { cloneUrl: redactAddresses(cloneUrl) }),
    },
    ...(problem !== undefined && { problem: redactProblem(problem) }),
    warnings: warnings.map(redactProblem),
    ...activity,
    runtimeName: runtimeNameOf(record.name),
    sshAlias: aliasOf(record.name),
    ...(attached !== undefined && { attached }),
  };
}

function redactProblem(problem: Problem): Problem {
  return { ...problem, message: redactAddresses(problem.message) };
}
