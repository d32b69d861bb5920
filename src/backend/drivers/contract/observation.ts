/** Looking at runtimes. At any time, any number at once, and never changing what is looked at. */
import type { Readable } from 'node:stream';
import { asBerthError } from '../../../api/errors';
import type { DriverStatus } from '../../../api/engine/schemas';
import type { CheckRemedy } from '../../../api/engine/check-remedy';
import type { Limits, Mount, NetworkMode, WorkspaceStats } from '../../../api/workspaces/schemas';
import type { RuntimeInfo } from './runtime';

/** A container engine: another one at its address later has another id. */
export interface EngineIdentity {
  id: string;
  /** Its address, for messages: e.g. `unix:///var/run/docker.sock`. */
  host: string;
}

/** Whether runtimes can be made now, and what to do where not. What it can do at all is in `features`. */
export type DriverHealth = Omit<DriverStatus, 'runtime' | 'features'>;

/** The health of a driver that can make nothing now, for that reason. */
export function unavailable(reason: unknown, remedies?: readonly CheckRemedy[]): DriverHealth {
  const { message, hint } = asBerthError(reason);
  return {
    ...{ available: false, message },
    ...(hint !== undefined && { hint }),
    ...(remedies !== undefined && { remedies: [...remedies] }),
  };
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

export interface Observation {
  /**
   * Does not throw, and does not wait for long. With `afresh`, for who looks because something is wrong, what did not work a
   * while ago is tried again, which takes seconds.
   */
  status(look?: { afresh: boolean }): Promise<DriverHealth>;
  /** The machine that it makes runtimes on now: `local`, or a name. Throws `runtime_unavailable` where none answers. */
  target(): Promise<string>;
  /**
   * Which container engine of that machine it is, as there may be several; undefined where nothing tells. Throws
   * `runtime_unavailable` where none answers.
   */
  engine(): Promise<EngineIdentity | undefined>;
  /**
   * Calls back until the returned function is called; reconnects by itself, telling so by `connection`. Events may be
   * late or come twice, and those during a break are missing: who hears of one looks.
   */
  watch(listener: (event: DriverEvent) => void): () => void;
  /** All that have the marks of a workspace, those of other installations too. When they were started may be left out. */
  list(): Promise<RuntimeInfo[]>;
  /** Whatever has that name; undefined when nothing has. */
  inspect(name: string): Promise<RuntimeInfo | undefined>;
  /** What an adoption gives the workspace; undefined when there is none of that name. */
  builtWith(name: string): Promise<BuiltWith | undefined>;
  logs(name: string, options: LogOptions): Promise<Readable>;
  stats(name: string): Promise<WorkspaceStats>;
  /** SSH connections, those of published ports, and sessions inside now. */
  attached(name: string): Promise<number>;
}
