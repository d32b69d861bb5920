/**
 * Snapshots of volumes: immutable, there as a whole or not at all, also after a kill. They outlive the volume. `restore`
 * has the volume to itself: it waits for what is being written, or ends it, and throws `in_use` when somebody runs on it.
 * So does `create`, unless it can hold what runs still for a moment. Calls for different volumes may run at once, and
 * reading one at any time.
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
  /** What could not be kept, or held still, in words. */
  notes?: string[];
}

/** What a check has found. */
export interface SnapshotCheck {
  /** Files and folders that were looked at; 1 of a disk. */
  checked: number;
  /** Those that were read: the others have not changed since they were. */
  read: number;
  damaged: number;
  /** Not more than 1000. */
  problems: { path: string; what: string }[];
  /** For the next check. */
  seal?: SnapshotSeal;
}

/** Of a disk, whose files are in no manifest. */
export interface SnapshotSeal {
  /** SHA-256 of what is used of its image. */
  digest: string;
  /** What the image was like when it was read: as long as it is so, it has not changed. */
  mark?: string;
  /** When a check made it, where nothing was noted when the snapshot was made. */
  since?: string;
}

export interface VerifyOptions {
  /** Reads also what has not changed since it was read. */
  full: boolean;
  seal?: SnapshotSeal | undefined;
}

export interface SnapshotStore {
  /** Of the volume as it is now. `id` names it from then on, on all machines. */
  create(volume: string, id: string, job: SnapshotJob): Promise<SnapshotFacts>;
  /**
   * Puts the volume back as it was: its files from then are all there is in it. Throws `not_found`. `before`: what is
   * there now is kept as a snapshot of that id first, and nothing is changed before `kept` has resolved. Answers what
   * could not be put back, in words.
   */
  restore(
    id: string,
    volume: string,
    job: SnapshotJob,
    before?: { id: string; kept: (facts: SnapshotFacts) => Promise<void> },
  ): Promise<readonly string[]>;
  /** Succeeds when there is none. */
  remove(id: string): Promise<void>;
  /** Bytes that it takes on the disk that it lies on; blocks that are shared count. Undefined when there is none. */
  heldBytes(id: string): Promise<number | undefined>;
  /** Reads it, and says what is not as it was when it was made. Throws `not_found`. */
  verify(id: string, options: VerifyOptions, job: SnapshotJob): Promise<SnapshotCheck>;
  /** What a check is held against, where the store does not keep it itself. */
  seal?(id: string, job: SnapshotJob): Promise<SnapshotSeal>;
  /** Its files, which nobody can change. */
  files(id: string): Promise<VolumeFiles>;
}
