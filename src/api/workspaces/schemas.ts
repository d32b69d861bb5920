import { Type, type Static } from '@sinclair/typebox';
import { maxCloneAddress } from '../rules/clone-address';
import { workspaceStates, type WorkspaceState as StateName } from '../rules/lifecycle';
import { variablePattern } from '../rules/names';
import { localOnly, localPath, namesWorkspace } from '../rules/principal';
import { runtimeKinds, type RuntimeKind as Kind } from '../rules/runtimes';
import { cpuBounds, idleBounds, memoryBounds, processBounds, sharedMemoryBounds } from '../rules/sizes';
import { AutomaticSnapshots } from '../snapshots/schemas';
import { ForkOrigin } from './fork';
import { Favourite, Protected, Tags } from './marks';
import { Label, Name, Timestamp, literals, nullable } from '../common';

export { SshTarget, WorkspaceStats } from './access';
export { workspaceStates };
export const WorkspaceState = literals(workspaceStates);
export type WorkspaceState = StateName;

export const RuntimeKind = literals(runtimeKinds);
export type RuntimeKind = Kind;

export const maxVariables = 64;
const Value = Type.String({ maxLength: 8192 });
export const Environment = Type.Record(Type.String({ pattern: variablePattern }), Value, {
  maxProperties: maxVariables,
  additionalProperties: false,
  description: 'Environment variables, at most 64.',
});

/** A change of variables: those that are not named stay, null takes one away. */
export const EnvironmentPatch = Type.Record(Type.String({ pattern: variablePattern }), nullable(Value), {
  maxProperties: 2 * maxVariables,
  additionalProperties: false,
  description: 'Variables that are not named stay; null takes one away.',
});
export type EnvironmentPatch = Static<typeof EnvironmentPatch>;

export const Limits = Type.Object(
  {
    cpus: Type.Optional(Type.Number({ ...cpuBounds, description: 'CPUs, e.g. 1.5.' })),
    memoryMiB: Type.Optional(Type.Integer(memoryBounds)),
    pids: Type.Optional(Type.Integer({ ...processBounds, description: 'At most this many processes.' })),
    shmMiB: Type.Optional(
      Type.Integer({ ...sharedMemoryBounds, description: 'Size of /dev/shm; at create only.' }),
    ),
  },
  { additionalProperties: false },
);
export type Limits = Static<typeof Limits>;

/** A change of limits: those that are not named stay, null takes one away. */
export const LimitsPatch = Type.Object(
  {
    cpus: Type.Optional(nullable(Limits.properties.cpus)),
    memoryMiB: Type.Optional(nullable(Limits.properties.memoryMiB)),
    pids: Type.Optional(nullable(Limits.properties.pids)),
    shmMiB: Type.Optional(nullable(Limits.properties.shmMiB)),
  },
  { additionalProperties: false },
);
export type LimitsPatch = Static<typeof LimitsPatch>;

/** Minutes without an SSH, exec, terminal or file client; 0 or absent = never. */
export const IdlePolicy = Type.Object(
  {
    pauseAfter: Type.Optional(Type.Number(idleBounds)),
    stopAfter: Type.Optional(Type.Number(idleBounds)),
    archiveAfter: Type.Optional(Type.Number(idleBounds)),
  },
  { additionalProperties: false, description: 'Minutes of idleness before each step; 0 = never.' },
);
export type IdlePolicy = Static<typeof IdlePolicy>;

/** An extra volume: `-v SRC:DST[:ro|rw]`, already classified. */
export const Mount = Type.Object(
  {
    kind: literals(['volume', 'disk', 'archive'], {
      description: 'A named volume, a raw ext4 image the user owns, or a tar bundle unpacked at each start.',
    }),
    source: Type.String({ minLength: 1, maxLength: 4096 }),
    target: Type.String({ pattern: '^/', maxLength: 4096, description: 'Absolute path in the runtime.' }),
    readOnly: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type Mount = Static<typeof Mount>;

const port = { minimum: 1, maximum: 65_535 };

/** A TCP port inside that is reached on 127.0.0.1 of this machine. */
export const PublishedPort = Type.Object(
  {
    host: Type.Optional(
      Type.Integer({ ...port, description: 'On this machine; a free one when it is left out.' }),
    ),
    guest: Type.Integer({ ...port, description: 'Inside, where a program must listen on all addresses.' }),
    chosen: Type.Optional(
      Type.Boolean({
        description: 'Berth chose the port of this machine: it moves when another program has it.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type PublishedPort = Static<typeof PublishedPort>;

/** A file of the user's machine that is put into the workspace on every start. */
export const CredentialFile = Type.Object(
  {
    source: Type.String({ minLength: 1, maxLength: 4096, description: 'Absolute path on this machine.' }),
    target: Type.String({
      minLength: 1,
      maxLength: 4096,
      description: 'Path in the workspace: absolute, or relative to the home directory.',
    }),
  },
  { additionalProperties: false },
);
export type CredentialFile = Static<typeof CredentialFile>;

export const PostStart = Type.Object(
  {
    scripts: Type.Array(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description: 'Absolute path on this machine: a script, or a folder of *.sh.',
      }),
      { maxItems: 32 },
    ),
    failOnError: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false },
);

export const NetworkMode = literals(['on', 'off', 'host-loopback']);
export type NetworkMode = Static<typeof NetworkMode>;

export const RuntimeTarget = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Where it runs: `local`, or the name of the machine whose container engine is configured.',
});

export const WorkspaceSpec = Type.Object(
  {
    runtime: RuntimeKind,
    /** Absent in records of this machine, and in the answers of an engine of before: `local`. */
    target: Type.Optional(RuntimeTarget),
    image: Type.String({ minLength: 1, maxLength: 512 }),
    /** Which addresses are taken: `rules/clone-address.ts`. Records of before hold others, too. */
    cloneUrl: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: maxCloneAddress,
        description:
          'https://host/path, ssh://[user@]host/path, [user@]host:path, or /path inside. No secrets.',
      }),
    ),
    /** Which names are taken: `rules/branch-name.ts`. */
    cloneBranch: Type.Optional(
      Type.String({
        maxLength: 255,
        description: 'The branch or tag to clone; the default is that of the repository. Needs `cloneUrl`.',
      }),
    ),
    cloneDepth: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_147_483_647,
        description: 'How many commits of history to clone: all if absent. Needs `cloneUrl`.',
      }),
    ),
    env: Type.Optional(Environment),
    docker: Type.Optional(
      Type.Boolean({ description: 'A Docker daemon of its own inside; privileged for containers.' }),
    ),
    limits: Type.Optional(Limits),
    mounts: Type.Optional(Type.Array(Mount, { maxItems: 32 })),
    ports: Type.Optional(Type.Array(PublishedPort, { maxItems: 32 })),
    credentialFiles: Type.Optional(Type.Array(CredentialFile, { maxItems: 64 })),
    /** Names only: the values are secrets, write-only, kept encrypted. */
    secretNames: Type.Optional(Type.Array(Type.String({ pattern: variablePattern }), { maxItems: 64 })),
    postStart: Type.Optional(PostStart),
    idle: Type.Optional(IdlePolicy),
    snapshots: Type.Optional(AutomaticSnapshots),
    network: Type.Optional({
      ...NetworkMode,
      description:
        "`on` (the default): a way out, but not to what listens on this machine's loopback only. `host-loopback`: there too, as 10.0.2.2; for microVMs. `off`: nothing but SSH.",
    }),
  },
  { additionalProperties: false },
);
export type WorkspaceSpec = Static<typeof WorkspaceSpec>;

export const WorkspaceCreate = Type.Object(
  {
    name: { ...Name, ...namesWorkspace },
    label: Type.Optional(Label),
    tags: Type.Optional(Tags),
    protected: Type.Optional(Protected),
    runtime: Type.Optional(RuntimeKind),
    target: Type.Optional(RuntimeTarget),
    image: Type.Optional(Type.String({ minLength: 1, maxLength: 512, ...localPath })),
    cloneUrl: WorkspaceSpec.properties.cloneUrl,
    cloneBranch: WorkspaceSpec.properties.cloneBranch,
    cloneDepth: WorkspaceSpec.properties.cloneDepth,
    agentSocket: Type.Optional(
      Type.String({
        ...localOnly,
        minLength: 1,
        maxLength: 4096,
        pattern: '^(/|[\\\\]{2}[.][\\\\]pipe[\\\\])[^\\x00]*$',
        description:
          'The socket of an SSH agent on this machine, absolute. Forwarded into the workspace while the repository is cloned, and never kept. Needs `cloneUrl`, and a start.',
      }),
    ),
    env: WorkspaceSpec.properties.env,
    docker: { ...WorkspaceSpec.properties.docker, ...localOnly },
    limits: WorkspaceSpec.properties.limits,
    volumes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 8192 }), {
        ...localOnly,
        maxItems: 32,
        description: '`SRC:DST[:ro|rw]` each, as on the command line.',
      }),
    ),
    ports: WorkspaceSpec.properties.ports,
    credentialFiles: { ...WorkspaceSpec.properties.credentialFiles, ...localOnly },
    secrets: Type.Optional(Environment),
    postStart: { ...WorkspaceSpec.properties.postStart, ...localOnly },
    idle: WorkspaceSpec.properties.idle,
    snapshots: WorkspaceSpec.properties.snapshots,
    network: { ...WorkspaceSpec.properties.network, 'x-local': '^host-loopback$' },
    start: Type.Optional(Type.Boolean({ default: true, description: 'false leaves it stopped.' })),
    temporary: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Deleted with its own volumes when no client holds its lease (`/lease`) any more. It must have a name whose volumes are not there yet.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type WorkspaceCreate = Static<typeof WorkspaceCreate>;

export const WorkspacePatch = Type.Object(
  {
    label: Type.Optional(Label),
    tags: Type.Optional(Tags),
    protected: Type.Optional(Protected),
    favourite: Type.Optional(Favourite),
    limits: Type.Optional(LimitsPatch),
    idle: WorkspaceSpec.properties.idle,
    snapshots: WorkspaceSpec.properties.snapshots,
    env: Type.Optional(EnvironmentPatch),
    ports: WorkspaceSpec.properties.ports,
    credentialFiles: { ...WorkspaceSpec.properties.credentialFiles, ...localOnly },
    postStart: { ...WorkspaceSpec.properties.postStart, ...localOnly },
    secrets: Type.Optional(EnvironmentPatch),
    temporary: Type.Optional(
      Type.Literal(false, {
        description: 'Of a temporary workspace: it stays from now on, until it is deleted.',
      }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description:
      '`env`, `secrets` and `limits` are merged: what is not named stays, null takes one away. `tags`, `idle`, `snapshots`, `ports`, `credentialFiles` and `postStart` are replaced as a whole.',
  },
);
export type WorkspacePatch = Static<typeof WorkspacePatch>;

export const StepOutcome = literals(['pending', 'running', 'done', 'warning', 'failed', 'skipped']);
export const Step = Type.Object({
  name: Type.String({ description: 'A stable key, e.g. `clone`.' }),
  title: Type.String(),
  outcome: StepOutcome,
  ms: Type.Optional(Type.Number({ description: 'How long it took, in milliseconds.' })),
  message: Type.Optional(Type.String()),
});
export type Step = Static<typeof Step>;

/** Why a workspace is in `error`, or what went wrong without stopping it. */
export const Problem = Type.Object({
  code: Type.String(),
  message: Type.String(),
  hint: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String({ description: 'In the words of the container engine.' })),
  step: Type.Optional(Type.String()),
});
export type Problem = Static<typeof Problem>;

/** What the runtime has written outside of volumes: kept by stop and archive, gone with a rebuild. */
export const OwnFiles = Type.Object({
  /** Left out where only the size is known. */
  files: Type.Optional(Type.Integer()),
  bytes: Type.Integer(),
  measuredAt: Timestamp,
});
export type OwnFiles = Static<typeof OwnFiles>;

export const Workspace = Type.Object({
  name: Type.String(),
  label: Type.String(),
  /** Sorted; absent for none. */
  tags: Type.Optional(Type.Array(Type.String())),
  protected: Type.Optional(Protected),
  favourite: Type.Optional(Favourite),
  state: WorkspaceState,
  /** What the state is about to be or why it is so, for people. */
  stateDetail: Type.Optional(Type.String()),
  spec: WorkspaceSpec,
  /** Container id or pid; absent when there is no runtime. */
  runtimeId: Type.Optional(Type.String()),
  runtimeName: Type.String(),
  homeVolume: Type.String(),
  dockerVolume: Type.Optional(Type.String()),
  imageId: Type.Optional(Type.String()),
  sshPort: Type.Integer(),
  sshAlias: Type.String(),
  /** Deleted when the client that made it is gone. */
  temporary: Type.Optional(Type.Boolean()),
  createdAt: Timestamp,
  lastUsedAt: Timestamp,
  startedAt: Type.Optional(Timestamp),
  forkedFrom: Type.Optional(ForkOrigin),
  /** Measured when it was last archived. */
  ownFiles: Type.Optional(OwnFiles),
  /** Clients attached now: SSH, published ports, exec, terminals. Refreshed when the idle policy or a client asks. */
  attached: Type.Optional(Type.Integer()),
  problem: Type.Optional(Problem),
  warnings: Type.Array(Problem),
  /** The steps of the last create or start, with times. */
  steps: Type.Array(Step),
  /** Operations that run on it now. */
  operations: Type.Array(Type.String()),
});
export type Workspace = Static<typeof Workspace>;

/** Where a command starts. */
export const Cwd = Type.Optional(
  Type.String({
    pattern: '^/',
    description: 'An absolute path. If absent: the clone of the workspace, else the home directory.',
  }),
);

/** Who runs a command. */
const nameOrId = '(?:[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})';
export const UserName = Type.String({
  pattern: `^${nameOrId}(?::${nameOrId})?$`,
  description:
    'A user of the workspace by name or id, alone or with a group: `root`, `1000`, `0:0`, `workspace:users`. Ids go up to 2147483647.',
});

export const ExecRequest = Type.Object(
  {
    argv: Type.Array(Type.String(), { minItems: 1, maxItems: 4096 }),
    stdin: Type.Optional(Type.String({ description: 'Base64.' })),
    env: Type.Optional(Environment),
    cwd: Cwd,
    user: Type.Optional({ ...UserName, default: 'workspace' }),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })),
    maxOutputBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 67_108_864, default: 1_048_576 })),
  },
  { additionalProperties: false },
);
export type ExecRequest = Static<typeof ExecRequest>;

export const ExecResult = Type.Object({
  exitCode: Type.Integer(),
  stdout: Type.String({ description: 'Base64.' }),
  stderr: Type.String({ description: 'Base64.' }),
  truncated: Type.Boolean(),
  timedOut: Type.Boolean(),
});
export type ExecResult = Static<typeof ExecResult>;
