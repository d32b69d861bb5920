/**
 * Snapshots of volumes: immutable, there as a whole or not at all, also after a kill. They outlive the volume. `create`
 * and `restore` have the volume to themselves: they wait for what is being written, and throw `in_use` when somebody has
 * it. Calls for different volumes may run at once, and reading one at any time.
 */
import type { VolumeKind } from '../../../api/volumes/schemas';
import type { VolumeFiles } from '../../files/volume-files';

/** How a long call is followed, and given up: then nothing has changed. */
export interface SnapshotJob {
  signal: AbortSignal;
  /** Bytes. */
  report: (done: number, total: number) => void;
}

/** What is known of a snapshot when it was made. */
export interface SnapshotFacts {
  kind: VolumeKind;
  /** Bytes of its files, as the file system counts them. */
  usedBytes: number;
  /** Of a disk. */
  sizeMiB?: number;
  /** It shares blocks with the volume, and takes no room until one of them changes. */
  isShared: boolean;
  /** Milliseconds that nobody could change the volume. */
  heldMs: number;
}

export interface SnapshotStore {
  /** Of the volume as it is now. `id` names it from then on, on all machines. */
  create(volume: string, id: string, job: SnapshotJob): Promise<SnapshotFacts>;
  /**
   * Puts the volume back as it was: its files from then are all there is in it. Throws `not_found`. `before`: what is
   * there now is kept as a snapshot of that id first, and nothing is changed before `kept` has resolved.
   */
  restore(
    id: string,
    volume: string,
    job: SnapshotJob,
    before?: { id: string; kept: (facts: SnapshotFacts) => Promise<void> },
  ): Promise<void>;
  /** Succeeds when there is none. */
  remove(id: string): Promise<void>;
  /** Bytes that it takes on the disk that it lies on; blocks that are shared count. Undefined when there is none. */
  heldBytes(id: string): Promise<number | undefined>;
  /** Its files, which nobody can change. */
  files(id: string): Promise<VolumeFiles>;
}
