/** Files that can be read, and not be changed now: each way to change them says why, and what to do. */
import type { Readable } from 'node:stream';
import type { BerthError } from '../../api/errors';
import type { FileEntry, FileList } from '../../api/files/schemas';
import type { FoundDetails, Inventory, InventoryOptions, WantedDetails } from './inventory';
import type { Kept } from './kept';
import type { TakeChunk } from '../tar/flow';
import type {
  ListOptions,
  MergeResult,
  TextOfFiles,
  TextQuery,
  TreeUsage,
  Unpacked,
  Unread,
  VolumeFiles,
} from './volume-files';

export abstract class UnchangeableFiles {
  /** Why nothing can be changed, and what to do. */
  protected abstract readonly refusal: () => BerthError;

  /** Nobody changes them. */
  watch(): Promise<() => void> {
    return Promise.resolve(() => undefined);
  }

  write(): Promise<FileEntry> {
    return Promise.reject(this.refusal());
  }

  mkdir(): Promise<FileEntry> {
    return Promise.reject(this.refusal());
  }

  rename(): Promise<FileEntry> {
    return Promise.reject(this.refusal());
  }

  copy(): Promise<FileEntry> {
    return Promise.reject(this.refusal());
  }

  remove(): Promise<void> {
    return Promise.reject(this.refusal());
  }

  /** They can be copied, so that only the end of a move is refused. */
  noteCopied(): Promise<string> {
    return Promise.resolve('');
  }

  removeCopied(): Promise<Kept[]> {
    return Promise.reject(this.refusal());
  }

  forgetCopied(): Promise<void> {
    return Promise.resolve();
  }

  chmod(): Promise<FileEntry> {
    return Promise.reject(this.refusal());
  }

  stage(): Promise<string> {
    return Promise.reject(this.refusal());
  }

  putTar(): Promise<Unpacked> {
    return Promise.reject(this.refusal());
  }

  merge(): Promise<MergeResult> {
    return Promise.reject(this.refusal());
  }

  unstage(): Promise<void> {
    return Promise.resolve();
  }
}

/** What others could change. */
export class ReadOnlyFiles extends UnchangeableFiles implements VolumeFiles {
  constructor(
    private readonly files: VolumeFiles,
    protected readonly refusal: () => BerthError,
  ) {
    super();
  }

  get volume(): string {
    return this.files.volume;
  }

  stat(path: string): Promise<FileEntry> {
    return this.files.stat(path);
  }

  list(path: string, options?: ListOptions): Promise<FileList> {
    return this.files.list(path, options);
  }

  read(
    path: string,
    options?: { offset?: number; length?: number },
    signal?: AbortSignal,
  ): Promise<Readable> {
    return this.files.read(path, options, signal);
  }

  searchText(paths: readonly string[], query: TextQuery, signal?: AbortSignal): Promise<TextOfFiles> {
    return this.files.searchText(paths, query, signal);
  }

  inventory(path: string, options: InventoryOptions, signal?: AbortSignal): Promise<Inventory> {
    return this.files.inventory(path, options, signal);
  }

  details(files: readonly WantedDetails[], signal?: AbortSignal): Promise<FoundDetails[]> {
    return this.files.details(files, signal);
  }

  usage(path: string, signal?: AbortSignal): Promise<TreeUsage> {
    return this.files.usage(path, signal);
  }

  getTar(path: string, signal?: AbortSignal, unread?: Unread): Promise<Readable> {
    return this.files.getTar(path, signal, unread);
  }

  receiveTar(path: string, take: TakeChunk, signal?: AbortSignal, unread?: Unread): Promise<void> {
    return this.files.receiveTar(path, take, signal, unread);
  }

  close(): Promise<void> {
    return this.files.close();
  }
}
