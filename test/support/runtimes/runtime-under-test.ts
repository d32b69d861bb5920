/** Tests of behaviour run once for each kind of runtime: what they need to know of it beside the API. */
import type Dockerode from 'dockerode';
import type { VolumeKind } from '../../../src/api/volumes/schemas';
import type { RuntimeKind, WorkspaceCreate } from '../../../src/api/workspaces/schemas';

export interface TestedEngine {
  docker: Dockerode;
  /** In the names of all that the tests make. */
  prefix: string;
  home: string;
}

export type RealState = 'running' | 'paused' | 'stopped' | 'gone';

/** Looks at runtimes, and does things to them, behind the engine's back. */
export interface RuntimeUnderTest {
  readonly kind: RuntimeKind;
  /** Of its homes. */
  readonly volumeKind: VolumeKind;
  /** Of the engine's process. */
  readonly env: NodeJS.ProcessEnv;
  /** What a workspace is created with unless its test says something else. */
  readonly defaults: Partial<WorkspaceCreate>;

  stateOf(name: string): Promise<RealState>;
  /** The runtime is gone without a trace; its volumes are not. */
  remove(name: string): Promise<void>;
  /** At once, as by a machine out of memory. */
  kill(name: string): Promise<void>;
  /** From outside, in order. */
  stop(name: string): Promise<void>;
  /** From then on it heeds no request to end, until it is started anew. */
  deafen(name: string, asRoot: (script: string) => Promise<unknown>): Promise<void>;
  hasVolume(volume: string): Promise<boolean>;
  removeVolume(volume: string): Promise<void>;
  /** What was made of an image for this kind of runtime, apart from the image. */
  forgetImage(imageId: string): Promise<void>;

  /** All of the tests' own, in words that can be compared. */
  runtimes(): Promise<string[]>;
  volumes(): Promise<string[]>;
  /** Removes whatever is left, also after a failed test. */
  clear(): Promise<void>;
}
