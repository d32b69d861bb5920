/**
 * What the engine asks of anything that can run workspaces. One implementation per kind of runtime
 * (`containers/`, `microvms/`); services know only this file, and of it what they use. A driver never assumes that its
 * runtimes are on this machine: bytes go in and out through the streams it opens.
 *
 * The order of calls, and what may run at once, is at the top of each file of `contract/`;
 * `test/support/runtime-contract.ts` holds all drivers to it.
 */
import type { DriverFeatures } from '../../api/engine/features';
import type { RuntimeKind } from '../../api/workspaces/schemas';
import type { Caches } from './contract/caches';
import type { Connections } from './contract/connection';
import type { Exec } from './contract/exec';
import type { RootFiles } from './contract/files';
import type { Commit, ImageStore } from './contract/images';
import type { Adjustments, Lifecycle } from './contract/lifecycle';
import type { Observation } from './contract/observation';
import type { Replacement } from './contract/replacement';
import type { VolumeStore } from './contract/volumes';

export type * from './contract/caches';
export type * from './contract/connection';
export type * from './contract/exec';
export type * from './contract/files';
export type * from './contract/images';
export type * from './contract/lifecycle';
export type * from './contract/observation';
export type * from './contract/replacement';
export * from './contract/runtime';
export type * from './contract/volumes';
export type { PullProgress } from '../images/pull-progress';
export type { InjectedFile, StartPlan } from '../inside/start-plan';

export interface Driver
  extends Lifecycle, Replacement, Adjustments, Observation, Exec, Connections, RootFiles, Partial<Commit> {
  readonly kind: RuntimeKind;
  /** What it can do, whether it answers or not. */
  readonly features: DriverFeatures;
  readonly images: ImageStore;
  readonly volumes: VolumeStore;
  /** What it keeps to be quicker the next time; undefined: nothing. */
  readonly caches?: Caches;
  /** Releases connections and keepers. Runtimes go on running. */
  close(): Promise<void>;
}
