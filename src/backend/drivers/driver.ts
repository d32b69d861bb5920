/**
 * What the engine asks of anything that can run workspaces. One implementation per kind of runtime
 * (`containers/`, `microvms/`); services know only this file. A driver never assumes that its runtimes
 * are on this machine: bytes go in and out through the streams it opens.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Owner } from '../../api/common';
import type { DriverStatus } from '../../api/engine/schemas';
import type {
  Limits,
  Mount,
  NetworkMode,
  Problem,
  PublishedPort,
  RuntimeKind,
  WorkspaceStats,
} from '../../api/workspaces/schemas';
import type { Volume, VolumeCreate, VolumeKind } from '../../api/volumes/schemas';
import type { Image } from '../../api/engine/schemas';
import type { VolumeFiles } from '../files/volume-files';
import type { AdoptedVolume } from '../store/adopted-volumes';
import type { PullProgress } from '../images/pull-progress';
import type { RuntimeState } from '../../api/rules/lifecycle';
import type { InjectedFile, StartPlan } from '../inside/start-plan';

export type { InjectedFile, PullProgress, StartPlan };

/** A mount of the spec. A volume that is a folder of this machine comes with it: it can be shared by several. */
export interface PlannedMount extends Mount {
  folder?: string | undefined;
}

/** A TCP port of the runtime that is reached on loopback of this machine. */
export type PlannedPort = Required<Pick<PublishedPort, 'host' | 'guest'>>;

/** How a runtime is built. Contains no secret. */
export interface RuntimePlan {
  /** `workspace-<name>`. */
  name: string;
  workspace: string;
  image: string;
  env: Readonly<Record<string, string>>;
  limits: Limits;
  docker: boolean;
  network: NetworkMode;
  homeVolume: string;
  dockerVolume: string | undefined;
  mounts: readonly PlannedMount[];
  ports?: PlannedPort[];
  /** Loopback port of this machine that reaches sshd in the runtime. */
  sshPort: number;
}

export type { RuntimeState };

export interface RuntimeInfo {
  id: string;
  name: string;
  /** From the labels; undefined for what is not a workspace. */
  workspace: string | undefined;
  state: RuntimeState;
  /** It stands still though nobody paused it: why, and what to do. Its state is `paused` then. */
  halt?: { code: string; message: string; hint: string | undefined };
  /** What is to be known of the state, for people. */
  detail?: string | undefined;
  imageId: string;
  image: string;
  startedAt: string | undefined;
  exitCode: number | undefined;
  /** It is paused, and nothing of it runs: it goes on from what was saved. */
  isSaved?: boolean;
  /** The loopback port that sshd is published on, as the runtime was built. */
  sshPort: number | undefined;
  volumes: readonly { volume: string; target: string; readOnly: boolean }[];
  labels: Readonly<Record<string, string>>;
  /** Another installation, which alone may start, stop, change and remove it. */
  owner?: Owner;
  /** It has the name of one of ours, and no mark of any installation: another tool made it. */
  isUnmarked?: boolean;
  /** What its owner should know while it runs, with one of `runtimeWarnings` as its code. */
  warning?: Problem;
}

/** Codes of what drivers warn of, for as long as it is so. */
export const runtimeWarnings: readonly string[] = ['open-loopback', 'share-lost'];

/** A runtime that was started. */
export interface StartInfo extends RuntimeInfo {
  /** What its owner should know of this start. */
  notes?: readonly string[];
}

/** A runtime that was given other ports. */
export interface RefitInfo extends RuntimeInfo {
  /** What of its files can't be anywhere else, e.g. `sockets (2, the first is "/run/x")`. */
  leftBehind?: readonly string[];
}

/** What a runtime has written outside of volumes. */
export interface OwnFiles {
  /** Undefined where only their size is known. */
  files?: number;
  bytes: number;
}

/** `anyOwner`: one of another installation too, as the user has said that it be taken over. */
export interface Whose {
  anyOwner?: boolean;
}

export interface Starting extends Whose {
  /** Ends a start that takes long: nothing runs then. */
  signal?: AbortSignal;
}

/** What a runtime was built with, whoever built it. */
export interface BuiltWith {
  /** Without what its image says. */
  env: Readonly<Record<string, string>>;
  limits: Limits;
  network: NetworkMode;
  /** It has a Docker inside. */
  docker: boolean;
  dockerVolume: string | undefined;
  /** Of loopback, without SSH. `host` is undefined where any will do. */
  ports: readonly { host: number | undefined; guest: number }[];
  /** All that has a name. */
  mounts: readonly Mount[];
  /** What no workspace can have, in words: `the UDP port 53`. */
  others: readonly string[];
}

/** What is to become of a runtime's own files. */
export interface CommitPlan {
  /** The name of the image. */
  image: string;
  /** Absolute paths of files that were put in at start, and must not be in an image. */
  without: readonly string[];
}

export interface ExecPlan {
  argv: readonly string[];
  user: string;
  tty?: { cols: number; rows: number };
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Where it starts in place of `cwd`, if its user can go there. */
  preferredCwd?: string;
}

/** A process in a runtime. Closing the client side of `stdin` is end of input; `kill` ends it. */
export interface ExecSession {
  stdin: Writable;
  stdout: Readable;
  /** Empty with a tty. */
  stderr: Readable;
  /** Resolves when the process has ended and all output was delivered. */
  exit: Promise<number>;
  resize(cols: number, rows: number): Promise<void>;
  kill(): Promise<void>;
}

/** An address of this machine that leads straight into a runtime, with no process of ours in between. */
export interface DirectEndpoint {
  host: string;
  /** Of sshd. Published ports are reached at the same host, by the numbers of the plan. */
  port: number;
}

export interface LogOptions {
  tail: number;
  follow: boolean;
  timestamps: boolean;
  signal: AbortSignal;
}

/** Something that happened to a runtime or volume, seen by the driver, whoever did it. */
export type DriverEvent =
  | {
      type: 'runtime';
      name: string;
      workspace: string | undefined;
      what: 'created' | 'started' | 'stopped' | 'paused' | 'resumed' | 'removed';
    }
  | { type: 'volume'; name: string; what: 'created' | 'removed' | 'attached' | 'detached' }
  /** The connection to the runtime product was lost or came back: states must be read again. */
  | { type: 'connection'; up: boolean };

export interface ImageStore {
  list(): Promise<Image[]>;
  /** Id of the image, or undefined when it is not there. */
  resolve(image: string): Promise<string | undefined>;
  pull(image: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /**
   * Does beforehand what else a runtime would wait for; missing where there is nothing to do. Answers in words what of
   * the image can't be had.
   */
  prepare?(
    image: string,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** To its registry. */
  push(image: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /** Into a new file of this machine, as `docker load` takes it. */
  save(image: string, path: string, progress: (p: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /** Takes the name away, and the image when it has no other; throws `in_use`. */
  remove(image: string): Promise<void>;
  /** Builds what the driver itself needs, and `workspace:latest` unless only the tools are asked for. */
  build(
    options: { noCache: boolean; toolsOnly: boolean },
    step: <T>(name: string, title: string, run: () => Promise<T>) => Promise<T>,
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Marks on volumes that somebody else made, for all installations that look. */
export interface VolumeClaims {
  /**
   * From now on it is this installation's, and no prune removes it. Answers what it is known by. Throws `in_use` when
   * another installation has it and `takeOver` is false.
   */
  claim(volume: string, takeOver: boolean): Promise<AdoptedVolume>;
  /** Gives it back to whoever had it. */
  release(volume: string): Promise<void>;
}

export interface VolumeStore {
  /** What it can make; the first is the one for homes. */
  readonly kinds: readonly VolumeKind[];
  list(): Promise<Volume[]>;
  inspect(name: string): Promise<Volume | undefined>;
  create(spec: VolumeCreate): Promise<Volume>;
  /** Succeeds when it is not there: what a removal left that was cut off goes as well. Throws `in_use`. */
  remove(name: string): Promise<void>;
  resize(name: string, sizeMiB: number): Promise<Volume>;
  /** The files of a volume, held or not. Released by `close`; opened again on the next call. */
  files(name: string): Promise<VolumeFiles>;
  /** Bytes in use, measured now. */
  usage(name: string, signal: AbortSignal): Promise<number>;
  /** Missing where no other installation can have the volumes. */
  readonly claims?: VolumeClaims;
}

export interface Driver {
  readonly kind: RuntimeKind;
  /** What a workspace may ask for. */
  readonly networks: readonly NetworkMode[];
  readonly images: ImageStore;
  readonly volumes: VolumeStore;

  status(): Promise<DriverStatus>;
  /** Calls back until the returned function is called; reconnects by itself, telling so by `connection`. */
  watch(listener: (event: DriverEvent) => void): () => void;
  list(): Promise<RuntimeInfo[]>;
  inspect(name: string): Promise<RuntimeInfo | undefined>;
  /** What an adoption gives the workspace; undefined when there is none of that name. */
  builtWith(name: string): Promise<BuiltWith | undefined>;

  /** Builds a runtime, not started. Makes missing volumes of the plan. On failure nothing of it is left. */
  create(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo>;
  /** Starts the processes; sshd answers only after `configure`. */
  start(name: string, options?: Starting): Promise<StartInfo>;
  /**
   * Puts keys, environment and files in and starts sshd; resolves when sshd answers on the plan's port. What could not
   * be written, though it does well without, is told in words.
   */
  configure(name: string, plan: StartPlan, signal: AbortSignal): Promise<readonly string[]>;
  /** Waits for the Docker daemon inside. */
  startDocker(name: string, signal: AbortSignal): Promise<void>;
  /** Graceful, then killed after `graceMs`: the answer says which. Succeeds when it does not run. */
  stop(name: string, graceMs: number, whose?: Whose): Promise<{ killed: boolean }>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  /**
   * Removes the runtime, running or not; never a volume. Succeeds when it is not there, and leaves one of another
   * installation, unless the user has said that it be taken over.
   */
  remove(name: string, whose?: Whose): Promise<void>;
  /**
   * Gives one that does not run the ports of the plan, and volumes where they are missing. All that it has outside of
   * volumes stays; on failure nothing has changed.
   */
  refit(plan: RuntimePlan, signal: AbortSignal): Promise<RefitInfo>;
  /**
   * Puts a stopped one aside, so that another one can be created under its name. It goes by `dropAside`, or both by
   * `remove`. Where an engine was killed while there was no other one, it is back.
   */
  setAside(name: string, whose?: Whose): Promise<void>;
  /** Undoes `setAside`: what has its name now is removed. false: nothing was aside, and nothing was done. */
  takeBack(name: string): Promise<boolean>;
  /** What is aside goes, after `setAside` and `refit`: to be called when the other one has done all that a start asks. */
  dropAside(name: string): Promise<void>;
  /** What it has outside of volumes, without what Berth puts in itself; undefined when the runtime is not there. */
  ownFiles(name: string, whose?: Whose): Promise<OwnFiles | undefined>;
  /** Changes what can be changed live; answers what waits for a rebuild, and what for the next start alone. */
  setLimits(name: string, limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }>;
  /** The same for all extra ports of it; throws `in_use` for one that another program has. */
  setPorts(name: string, ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }>;
  /** Makes an image of its own files, volumes excepted; answers the image's id. Throws `illegal_state`. */
  commit(
    name: string,
    plan: CommitPlan,
    progress: (p: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<string>;
  /**
   * All files as its shell sees them, whatever is mounted where: through one that runs. Of one that does not they can be
   * read where the driver has a way, not changed: `illegal_state`, with what to do.
   */
  rootFiles(name: string): Promise<VolumeFiles>;
  exec(name: string, plan: ExecPlan): Promise<ExecSession>;
  /**
   * Opens a byte stream to a TCP port of a running runtime, on whatever machine it is; 22 is sshd. Ending one direction
   * leaves the other open; destroying the stream closes the connection. Where nobody listens the stream ends at once.
   * Throws `not_found` and `illegal_state`.
   */
  dial(name: string, port: number): Promise<Duplex>;
  /**
   * Where this machine reaches sshd and the published ports of a runtime without the engine; undefined where only `dial`
   * leads there. Throws `not_found`.
   */
  directEndpoint(name: string): Promise<DirectEndpoint | undefined>;
  logs(name: string, options: LogOptions): Promise<Readable>;
  stats(name: string): Promise<WorkspaceStats>;
  /** SSH connections, those of published ports, and sessions inside now. */
  attached(name: string): Promise<number>;
  /** Unpacks tar bundles of the plan's mounts into their one-shot volumes; before every start. `warn`: of what is lost. */
  refreshBundles(plan: RuntimePlan, signal: AbortSignal, warn?: (text: string) => void): Promise<void>;
  /** Releases connections and keepers. Runtimes go on running. */
  close(): Promise<void>;
}
