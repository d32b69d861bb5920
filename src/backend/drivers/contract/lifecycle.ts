/**
 * The life of a runtime, from its plan to its removal.
 *
 * The order of calls: `refreshBundles` → `create` (once) or `refit` → `start` → `configure` → `startDocker` → in any
 * order `pause` and `resume` → `stop` → `start` … → `remove`. `configure` follows each `start` that did start something:
 * only then does sshd answer. The workspace services keep this order; a driver answers `illegal_state` or `not_found`
 * for what does not fit the state that it finds, and changes nothing.
 *
 * What may run at once: calls for different names always may. For one name the services let one verb at a time run,
 * by the compare-and-swap of its workspace's record (`WorkspaceRegistry.begin`). A driver relies on that for the order
 * alone: two calls for one name may still come at once (an engine that was killed, another client of the same Docker),
 * and then each is done before the other, or after it. So of two `create` one throws `exists`, and two `start`, `stop` or
 * `remove` both succeed. Nothing else than its signal ends a `create`, `start` or `configure` that takes long.
 */
import type { Limits } from '../../../api/workspaces/schemas';
import type { StartPlan } from '../../inside/start-plan';
import type { PlannedPort, RuntimeInfo, RuntimePlan, Whose } from './runtime';

/** A runtime that was started. */
export interface StartInfo extends RuntimeInfo {
  /** What its owner should know of this start. */
  notes?: readonly string[];
}

export interface Starting extends Whose {
  /** Ends a start that takes long: nothing runs then. */
  signal?: AbortSignal;
}

export interface Lifecycle {
  /** Builds a runtime, not started. Makes missing volumes of the plan. On failure nothing of it is left. */
  create(plan: RuntimePlan, signal: AbortSignal): Promise<RuntimeInfo>;
  /** Unpacks tar bundles of the plan's mounts into their one-shot volumes; before every start. `warn`: of what is lost. */
  refreshBundles(plan: RuntimePlan, signal: AbortSignal, warn?: (text: string) => void): Promise<void>;
  /** Starts the processes; sshd answers only after `configure`. Nothing is done to one that runs. */
  start(name: string, options?: Starting): Promise<StartInfo>;
  /**
   * Puts keys, environment and files in and starts sshd; resolves when sshd answers on the plan's port. Returns one
   * message for each file that could not be written but is not essential.
   */
  configure(name: string, plan: StartPlan, signal: AbortSignal): Promise<readonly string[]>;
  /** Waits for the Docker daemon inside. Only of one whose plan has `docker`, after `configure`. */
  startDocker(name: string, signal: AbortSignal): Promise<void>;
  /** Graceful, then killed after `graceMs`: the answer says which. Succeeds when it does not run. */
  stop(name: string, graceMs: number, whose?: Whose): Promise<{ killed: boolean }>;
  /** Succeeds when it is paused already. */
  pause(name: string): Promise<void>;
  /** Succeeds when it runs already. */
  resume(name: string): Promise<void>;
  /**
   * Removes the runtime, running or not; never a volume. Succeeds when it is not there, and leaves one of another
   * installation, unless the user has said that it be taken over.
   */
  remove(name: string, whose?: Whose): Promise<void>;
}

/** What can be changed of a runtime without making another one. `features` says beforehand what takes effect live. */
export interface Adjustments {
  /** Changes what can be changed live; answers what waits for a rebuild, and what for the next start alone. */
  setLimits(name: string, limits: Limits): Promise<{ needsRebuild: string[]; needsRestart: string[] }>;
  /** The same for all extra ports of it; throws `in_use` for one that another program has. */
  setPorts(name: string, ports: readonly PlannedPort[]): Promise<{ needsRebuild: string[] }>;
}
