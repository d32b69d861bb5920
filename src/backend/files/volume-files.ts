/**
 * The files of one volume, whoever holds it. Paths are absolute from the volume's root; `..` is refused;
 * symlinks are followed only inside the volume, otherwise `path_escapes`. Errors are `BerthError`s with the
 * `path_*` codes of `api/errors.ts`.
 */
import type { Readable } from 'node:stream';
import type { TakeChunk, TarSource } from '../tar/flow';
import type { FoundDetails, Inventory, InventoryOptions, WantedDetails } from './inventory';
import type { Kept } from './kept';
import type { ConflictPolicy, FileChange, FileEntry, FileList } from '../../api/files/schemas';

export interface WriteOptions {
  /** Make the file when it is missing; else `path_not_found`. */
  create: boolean;
  /** Replace it when it is there; else `path_exists`. */
  overwrite: boolean;
  /** Permission bits of a new file; an existing one keeps its own, and its owner. */
  mode?: number;
}

export interface ListOptions {
  limit?: number;
  cursor?: string;
  /** The answer is only sent on: it may be a `WrittenList`. */
  isSentOn?: boolean;
}

export interface TreeUsage {
  /** The sizes of all files. */
  bytes: number;
  /** What they take on the disk, folders included; a file with several names counts once. */
  allocated: number;
  files: number;
  directories: number;
  /** What could not be read: how many, the first of it, and why. The other figures are lower bounds then. */
  unread?: { count: number; first: string; reason: string };
}

/** Of a whole volume, in the fields that tell it. */
export interface VolumeUsage {
  usedBytes: number;
  /** Some of it could not be read. */
  usedIsAtLeast?: boolean;
}

/** What a volume takes, in bytes; at least so much where a part could not be read. */
export function volumeUsage({ allocated, unread }: Pick<TreeUsage, 'allocated' | 'unread'>): VolumeUsage {
  return { usedBytes: allocated, ...(unread !== undefined && { usedIsAtLeast: true }) };
}

/** What files that arrived could not keep, e.g. attributes that the file system there does not have. */
export interface Loss {
  what: string;
  /** How many files. */
  count: number;
  /** The first of them. */
  first: string;
}

export interface MergeResult {
  files: number;
  skipped: string[];
  renamed: { from: string; to: string }[];
  /** What could not be moved; the rest was. */
  failed: { path: string; reason: string }[];
  /** Of what had to be copied once more, as something else is mounted there. */
  lost?: Loss[];
}

/** Told of a file or folder that is not in the tar or copy as it should be, and why. */
export type Unread = (path: string, reason: string) => void;

export interface PutTarOptions {
  /**
   * Set-user-ID and set-group-ID bits, file capabilities and `trusted.*`: else they are dropped and counted, as whoever
   * is root in one volume must not make programs run with rights in another.
   */
  keepRights?: boolean;
}

export interface MergeOptions {
  /** The target gets owner, mode, times and attributes that the stage has by the tar. */
  dressed?: boolean;
}

export interface Unpacked {
  lost: Loss[];
  /** What was left out; the rest is there. */
  failed: { path: string; reason: string }[];
}

export interface RenameOptions {
  overwrite: boolean;
  /** False: `not_supported` where a rename does not lead, as something else is mounted there. */
  mayCopy?: boolean;
}

export interface CopyOptions {
  overwrite: boolean;
  /** Bytes copied so far. */
  progress?: (bytes: number) => void;
  /** What could not be read, and sockets and devices, by their paths in the volume: they are left out. */
  unread?: Unread;
  lost?: (loss: Loss) => void;
  /** As `noteCopied` answers it: what is read is noted. */
  note?: string | undefined;
}

export interface RemoveOptions {
  recursive: boolean;
  /** Names below the path that are gone, itself included. */
  progress?: (names: number) => void;
}

/** What of the lines of files is looked for. */
export interface TextQuery {
  /**
   * Without line breaks: each line that is wanted has it, and so may have others that are found. Undefined: all are to be had.
   * ASCII, or letters that have no case.
   */
  needle?: string | undefined;
  /** Of the needle. */
  anyCase: boolean;
  maxFileBytes: number;
}

/** Of a text: one line without its break, or several. */
export interface TextPiece {
  /** The number of the first line, from 1. */
  line: number;
  content: Buffer;
}

export interface TextOfFiles {
  /** How many of the paths, from the first on. At least one: the rest is to be asked for again. */
  done: number;
  /** Those that have such lines. */
  files: { path: string; pieces: TextPiece[] }[];
  /** Files that were read, binary ones as well. */
  searched: number;
  /** No text. */
  binary: number;
  tooLarge: number;
  /** Not those that are gone. */
  unread: number;
}

export interface VolumeFiles {
  readonly volume: string;
  /** A list of a folder reads all that is below it. */
  readonly hasSlowLists?: boolean;
  stat(path: string): Promise<FileEntry>;
  list(path: string, options?: ListOptions): Promise<FileList>;
  /** Bytes from `offset`, at most `length`. Fails before the first byte when the file can't be read. */
  read(path: string, options?: { offset?: number; length?: number }, signal?: AbortSignal): Promise<Readable>;
  /** The lines of many files that have something, in as few messages as can be. At least one path. */
  searchText(paths: readonly string[], query: TextQuery, signal?: AbortSignal): Promise<TextOfFiles>;
  /** All that is at and below a path, a link to it followed. */
  inventory(path: string, options: InventoryOptions, signal?: AbortSignal): Promise<Inventory>;
  /** Of some of the files, from the first on, at least of one; the rest is to be asked for again. At least one file. */
  details(files: readonly WantedDetails[], signal?: AbortSignal): Promise<FoundDetails[]>;
  /** Atomic: a temp file in the same folder, then renamed over; nothing changes when it fails. */
  write(
    path: string,
    content: Readable | Buffer,
    options: WriteOptions,
    signal?: AbortSignal,
  ): Promise<FileEntry>;
  mkdir(path: string, options?: { parents?: boolean }): Promise<FileEntry>;
  /** To where something else is mounted: copied, and the original removed when all of it is on the disk there. */
  rename(from: string, to: string, options: RenameOptions): Promise<FileEntry>;
  /** Files and trees, links kept as links, atomic for a single file. */
  copy(from: string, to: string, options: CopyOptions, signal?: AbortSignal): Promise<FileEntry>;
  remove(path: string, options: RemoveOptions, signal?: AbortSignal): Promise<void>;
  chmod(path: string, mode: number): Promise<FileEntry>;
  /** What is below a path, itself included. */
  usage(path: string, signal?: AbortSignal): Promise<TreeUsage>;
  /** Calls back with changes below `path` until the returned function is called. */
  watch(
    path: string,
    options: { recursive: boolean },
    listener: (changes: FileChange[]) => void,
  ): Promise<() => void>;

  /**
   * A tar of what is at `path`, its entries named from the base name of `path` (`.` for the root). Without `unread`
   * it fails at the end when something could not be read, and leaves sockets out: no tar can carry them. With a `note`,
   * as `noteCopied` answers it, what is read is noted.
   */
  getTar(path: string, signal?: AbortSignal, unread?: Unread, note?: string): Promise<Readable>;
  /** The same tar, handed over in chunks that are not kept: for large transfers. */
  receiveTar(
    path: string,
    take: TakeChunk,
    signal?: AbortSignal,
    unread?: Unread,
    note?: string,
  ): Promise<void>;
  /** Begins to note what is read for a move, by one request after the other, until `forgetCopied`. */
  noteCopied(): Promise<string>;
  /**
   * Removes at and below a path what was noted and has not changed since, and folders that were noted and are empty
   * then. Answers what stays. Throws `gone` when what was noted is not known any more, as the connection broke; nothing
   * is removed then.
   */
  removeCopied(note: string, path: string): Promise<Kept[]>;
  /** Fine when it is not known any more. */
  forgetCopied(note: string): Promise<void>;
  /** A new, hidden, empty folder for an upload; what is left of a dead upload is swept at the next open. */
  stage(): Promise<string>;
  /** Unpacks a tar into a staged folder, without touching anything else. */
  putTar(
    stage: string,
    tar: Readable | TarSource,
    signal?: AbortSignal,
    options?: PutTarOptions,
  ): Promise<Unpacked>;
  /** A faster way for files that are large and simple; a tar of nothing else. Undefined where there is none. */
  readonly putBulk?: {
    readonly minBytes: number;
    put(stage: string, tar: TarSource, signal?: AbortSignal): Promise<void>;
  };
  /**
   * Moves what was staged into `target`, by rename, as the policy says; then the stage is gone. Folders are merged,
   * but with `rename` what exists at the top gets a free name as a whole. Paths of the result are from `target`.
   */
  merge(stage: string, target: string, policy: ConflictPolicy, options?: MergeOptions): Promise<MergeResult>;
  /** Throws a stage away; fine when it is gone already. */
  unstage(stage: string): Promise<void>;
  close(): Promise<void>;
}
