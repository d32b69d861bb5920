/**
 * Volumes: durable, with a life of their own. No call here starts or stops a runtime.
 *
 * The order of calls: `create` before all others, which throw `not_found` for one that is not there; `inspect` answers undefined, and
 * `remove` succeeds. What may run at once: everything, for one volume too, as `files` of any number of clients. A `remove` beside what uses
 * the volume throws `in_use` or leaves the other with `not_found`.
 */
import type { Volume, VolumeCreate } from '../../../api/volumes/schemas';
import type { VolumeFiles } from '../../files/volume-files';
import type { AdoptedVolume } from '../../store/adopted-volumes';
import type { VolumeUsage } from '../../files/volume-files';
import type { SnapshotStore } from './snapshots';

/** Marks on volumes that somebody else made, for all installations that look. */
export interface VolumeClaims {
  /**
   * From now on it is this installation's, and no prune removes it. Answers what it is known by. Throws `in_use` when
   * another installation has it and `takeOver` is false.
   */
  claim(volume: string, takeOver: boolean): Promise<AdoptedVolume>;
  /** Gives it back to whoever had it. */
  release(volume: string): Promise<void>;
  /** Those of this installation, by their volumes; `isReturned`: another installation has given it back. */
  ours(): Promise<readonly { volume: string; isReturned: boolean }[]>;
}

export interface VolumeStore {
  list(): Promise<Volume[]>;
  inspect(name: string): Promise<Volume | undefined>;
  /** Of one of `features.volumeKinds`, the first unless the spec names one. */
  create(spec: VolumeCreate): Promise<Volume>;
  /** Succeeds when it is not there: what a removal left that was cut off goes as well. Throws `in_use`. */
  remove(name: string): Promise<void>;
  resize(name: string, sizeMiB: number): Promise<Volume>;
  /** The files of a volume, held or not. Released by `close`; opened again on the next call. */
  files(name: string): Promise<VolumeFiles>;
  /** Measured now. */
  usage(name: string, signal: AbortSignal): Promise<VolumeUsage>;
  /** Missing where none can be made. */
  readonly snapshots?: SnapshotStore | undefined;
  /** Missing where no other installation can have the volumes. */
  readonly claims?: VolumeClaims;
}
