/** Runtimes: what one is built of, and what drivers answer about them. */
import type { Owner } from '../../../api/common';
import type { RuntimeState } from '../../../api/rules/lifecycle';
import type { Limits, Mount, NetworkMode, Problem, PublishedPort } from '../../../api/workspaces/schemas';

/**
 * A mount of the spec. These are the only paths of this machine in a plan, with the image where that is a file: a volume that is a
 * folder of this machine, which can be shared by several, and the `source` of a disk or a bundle. A driver whose runtimes are
 * elsewhere has none of these kinds among `features.mounts`, so that no such plan reaches it.
 */
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

/** `anyOwner`: one of another installation too, as the user has said that it be taken over. */
export interface Whose {
  anyOwner?: boolean;
}
