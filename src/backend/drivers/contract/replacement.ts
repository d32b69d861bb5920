/**
 * One runtime in the place of another, so that nothing of the old one is lost before the new one has answered.
 *
 * The order of calls: `stop` → `setAside` → `create` of the same name → `start`, `configure`, … → `dropAside`, or, when
 * any of these failed, `takeBack`. `refit` is for one that does not run, and is followed by a start; then by `dropAside`,
 * or by another `refit`. Whoever is killed between two of these leaves what `inspect` and `list` of the next engine put
 * right: where nothing has the name, what was aside has it again.
 *
 * The services ask for one of these per name at a time; a driver keeps its own lock per name all the same.
 */
import type { RuntimeInfo, RuntimePlan, Whose } from './runtime';

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

export interface Replacement {
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
}
