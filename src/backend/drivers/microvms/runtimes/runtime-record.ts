/** What is known of a runtime beyond its process: `workspaces/<name>/runtime.json`. Contains no secret. */
import { Type, type Static } from '@sinclair/typebox';
import { Limits, Mount, NetworkMode } from '../../../../api/workspaces/schemas';
import type { RecordFormat } from '../../../store/records';

const Variables = Type.Record(Type.String(), Type.String());

const PlannedMount = Type.Object({ ...Mount.properties, folder: Type.Optional(Type.String()) });
const PlannedPort = Type.Object({ host: Type.Integer(), guest: Type.Integer() });

const Plan = Type.Object({
  name: Type.String(),
  workspace: Type.String(),
  image: Type.String(),
  env: Variables,
  limits: Limits,
  docker: Type.Boolean(),
  network: NetworkMode,
  homeVolume: Type.String(),
  dockerVolume: Type.Optional(Type.String()),
  mounts: Type.Array(PlannedMount),
  sshPort: Type.Integer(),
  ports: Type.Optional(Type.Array(PlannedPort)),
});

/** How the machine was built when it was last started: what a saved state of it needs again. */
const Launch = Type.Object({
  acceleration: Type.Union([
    Type.Literal('kvm'),
    Type.Literal('hvf'),
    Type.Literal('whpx'),
    Type.Literal('tcg'),
  ]),
  /** The processor and the host's kernel, of which an accelerated guest has seen what they can do. */
  processor: Type.Optional(Type.String()),
  /** Of QEMU. */
  build: Type.String(),
  /** Of the guest kit. */
  kit: Type.String(),
  kernel: Type.String(),
  initrd: Type.String(),
  kernelArguments: Type.Array(Type.String()),
  cpus: Type.Integer(),
  memoryMiB: Type.Integer(),
  disks: Type.Array(
    Type.Object({
      serial: Type.String(),
      file: Type.Optional(Type.String()),
      format: Type.Union([Type.Literal('raw'), Type.Literal('qcow2')]),
      readOnly: Type.Boolean(),
    }),
  ),
  /** Serials of shared folders, whose daemons no saved state brings back. */
  shares: Type.Optional(Type.Array(Type.String())),
});
export type Launch = Static<typeof Launch>;

/** The file that the root disk lies over, which is never written to. */
const BaseIdentity = Type.Object({
  bytes: Type.Integer(),
  uuid: Type.String(),
  /** SHA-256 of the ext4 superblock. */
  superblock: Type.String(),
});
export type BaseIdentity = Static<typeof BaseIdentity>;

/** What the image says about how it is to be run: an image that is made of the runtime says the same. */
const ImageConfig = Type.Object({
  env: Type.Array(Type.String()),
  user: Type.String(),
  workdir: Type.String(),
  entrypoint: Type.Array(Type.String()),
  cmd: Type.Array(Type.String()),
});

export const RuntimeRecord = Type.Object({
  id: Type.String({ description: "The machine's UUID." }),
  plan: Plan,
  imageId: Type.String(),
  /** Runtimes of earlier versions have it from their first start on. */
  base: Type.Optional(BaseIdentity),
  config: Type.Optional(ImageConfig),
  /** The variables of the image and of the plan. */
  env: Variables,
  createdAt: Type.String(),
  /** Of the last start; a resumed machine keeps it. */
  startedAt: Type.Optional(Type.String()),
  process: Type.Optional(
    Type.Object({ pid: Type.Integer(), startTime: Type.String(), bootId: Type.String() }),
  ),
  launch: Type.Optional(Launch),
  /** Its guest was not yet got going: without the engine that does so it never will. */
  starting: Type.Optional(Type.Boolean()),
  /** It was paused, and is to be so again after the host was restarted. */
  paused: Type.Optional(Type.Boolean()),
  /** Its guest did not say that it had written all before it was paused. */
  unsynced: Type.Optional(Type.Boolean()),
  /** The stamps of its disks when its memory was on disk: whoever writes to them meanwhile makes that worthless. */
  disksSaved: Type.Optional(Variables),
  /**
   * Its guest was told to go on from the state on disk, and has not answered yet: its disks may be ahead of that state.
   */
  resuming: Type.Optional(Type.Boolean()),
  /** The stamps of its disks when it was told so (`disk-stamps.ts`). */
  disksBefore: Type.Optional(Variables),
  exitCode: Type.Optional(Type.Integer()),
});
export type RuntimeRecord = Static<typeof RuntimeRecord>;

export const runtimeFormat: RecordFormat<typeof RuntimeRecord> = {
  version: 1,
  schema: RuntimeRecord,
  migrations: [],
};
