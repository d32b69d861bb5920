/** What the driver needs of its neighbours: guest kits, root file systems and disks. */
import type { Readable } from 'node:stream';
import type { Image } from '../../../api/engine/schemas';
import type { PullProgress, RuntimeState, SavedImage, VolumeStore } from '../driver';
import type { SnapshotJob } from '../contract/snapshots';
import type { VolumeFiles } from '../../files/volume-files';

/** A kernel, an initramfs and a disk of programs that boot any root file system. */
export interface GuestKit {
  version: string;
  kernel: string;
  initrd: string;
  toolsDisk: string;
  kernelArguments: readonly string[];
  /** Of all of it: a saved machine fits the very same. */
  hash: string;
}

export interface GuestKits {
  find(): Promise<GuestKit | undefined>;
  /** The very kit that a kernel is of is there, and none that was built in its place. */
  has(kernel: string, hash: string): Promise<boolean>;
  build(line: (text: string) => void, signal: AbortSignal): Promise<GuestKit>;
}

export interface RootImage {
  digest: string;
  /** Raw ext4, never written to. */
  path: string;
  config: { env: string[]; user: string; workdir: string; entrypoint: string[]; cmd: string[] };
  /** What of the image could not be had, in words. */
  leftOut: readonly string[];
}

export interface RootImages {
  /** Images that no container engine has; undefined: there can be none. */
  readonly archive?: ImageArchive;
  /** One that was made, by its digest. */
  known(digest: string): Promise<RootImage | undefined>;
  /** The digest of an image that is there. */
  resolve(reference: string): Promise<string | undefined>;
  ensure(
    reference: string,
    progress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<RootImage>;
}

interface TransferOptions {
  progress: (progress: PullProgress) => void;
  signal: AbortSignal;
}

export interface CommitFrom {
  /** For people. */
  name: string;
  /** Bytes that its disk takes. */
  bytes: number;
  /** Into a new raw file, whose journal may have to be replayed. `report`: from 0 to 1. */
  copyTo: (draft: string, options: { report: (share: number) => void; signal: AbortSignal }) => Promise<void>;
  /** The image that it began as. */
  imageId: string;
  /** The image's, where it is known. */
  config?: RootImage['config'] | undefined;
  /** Absolute paths of files that are not to be in the image. */
  without: readonly string[];
  layer: DiskLayer;
  /** Only runtimes of this engine are made of the image. */
  isLocal?: boolean;
}

/** What a root disk has of its own. */
export interface DiskLayer {
  /** The raw file below it, which is never written to. */
  base: string;
  /** Into a new qcow2 over the base, whose journal may have to be replayed. */
  copyTo: CommitFrom['copyTo'];
}

/** What was committed here, or pulled without a container engine. */
export interface ImageArchive {
  list(): Promise<Image[]>;
  has(image: string): Promise<boolean>;
  pull(image: string, options: TransferOptions): Promise<void>;
  push(image: string, options: TransferOptions): Promise<void>;
  /** As a tar that `docker load` takes, and that is an OCI image layout too. */
  save(image: string, signal: AbortSignal): Promise<SavedImage>;
  /** What `save` has written, of any kind of runtime. */
  load(image: string, tar: Readable, signal: AbortSignal): Promise<void>;
  remove(image: string): Promise<void>;
  /** Answers the image's id. */
  commit(from: CommitFrom, image: string, options: TransferOptions): Promise<string>;
}

export interface DiskHolder {
  workspace: string;
  runtime: string;
  readOnly: boolean;
}

export interface DiskStore extends VolumeStore {
  /** The path of a disk that is this runtime's alone from now on; throws `in_use`. */
  attach(volume: string, holder: DiskHolder): Promise<string>;
  /** The same for a machine that goes on from what was saved of it, which has the disk mounted: not a byte is changed. */
  attachMounted(volume: string, holder: DiskHolder): Promise<string>;
  /** The same for an image of the user's own. */
  attachImage(path: string, holder: DiskHolder): Promise<string>;
  /** Throws when that would fail now. */
  checkImage(path: string, holder: DiskHolder): Promise<void>;
  release(holder: { runtime: string }): Promise<void>;
  close(): Promise<void>;
}

/** A copy of a disk that a runtime had all the time. */
export interface HeldCopy {
  /** Milliseconds that nobody inside could write to it. */
  heldMs: number;
  /** It shares blocks with the disk. */
  isShared: boolean;
  /** What is to be known of it, in words. */
  notes: string[];
}

/** What disks ask the driver. */
export interface HolderLookup {
  /** That runtime provably does not run, nor is it paused. */
  isGone(runtime: string): Promise<boolean>;
  /** What it is shown as. */
  stateOf(runtime: string): Promise<RuntimeState | 'unknown'>;
  /** The files of a disk that a running machine has, through that machine. */
  liveFiles(runtime: string, volume: string): Promise<VolumeFiles>;
  /** A disk that a machine has which runs or is paused, as it was at one moment: into a new file, whose journal may have to be replayed. */
  copyHeld(runtime: string, volume: string, draft: string, job: SnapshotJob): Promise<HeldCopy>;
}
