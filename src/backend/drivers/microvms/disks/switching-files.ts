/** The files of one volume, through whoever has it now: the machine that runs with it, or nobody but us. */
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import type { ConflictPolicy, FileChange, FileEntry, FileList } from '../../../../api/files/schemas';
import type { FoundDetails, Inventory, InventoryOptions, WantedDetails } from '../../../files/inventory';
import type { Kept } from '../../../files/kept';
import type { TarSource } from '../../../tar/flow';
import type {
  Unpacked,
  Unread,
  CopyOptions,
  ListOptions,
  RemoveOptions,
  MergeResult,
  RenameOptions,
  PutTarOptions,
  TextOfFiles,
  TextQuery,
  TreeUsage,
  VolumeFiles,
  WriteOptions,
} from '../../../files/volume-files';

type Listener = (changes: FileChange[]) => void;

interface Watch {
  path: string;
  options: { recursive: boolean };
  listener: Listener;
  /** Ends what the current files were asked for; undefined while they could not be asked yet. */
  stop: (() => void) | undefined;
}

export class SwitchingFiles implements VolumeFiles {
  private readonly watches = new Set<Watch>();
  private generation = 0;
  /** Stages, and notes of what was copied, live and die with the files that they were made in. */
  private readonly stages = new Map<string, VolumeFiles>();

  constructor(
    readonly volume: string,
    private readonly current: () => Promise<VolumeFiles>,
  ) {}

  /** Somebody else has the volume from now on. Watches go on there, at the latest with the next call that succeeds. */
  switched(): void {
    this.pause();
    for (const watch of this.watches) {
      watch.listener([{ type: 'changed', path: watch.path }]);
    }
    void this.resume();
  }

  /** Ends watches before the files that they are in are closed. */
  pause(): void {
    this.generation++;
    for (const watch of this.watches) {
      watch.stop?.();
      watch.stop = undefined;
    }
  }

  async stat(path: string): Promise<FileEntry> {
    return (await this.now()).stat(path);
  }

  async list(path: string, options?: ListOptions): Promise<FileList> {
    return (await this.now()).list(path, options);
  }

  async read(
    path: string,
    options?: { offset?: number; length?: number },
    signal?: AbortSignal,
  ): Promise<Readable> {
    return (await this.now()).read(path, options, signal);
  }

  async searchText(paths: readonly string[], query: TextQuery, signal?: AbortSignal): Promise<TextOfFiles> {
    return (await this.now()).searchText(paths, query, signal);
  }

  async inventory(path: string, options: InventoryOptions, signal?: AbortSignal): Promise<Inventory> {
    return (await this.now()).inventory(path, options, signal);
  }

  async details(files: readonly WantedDetails[], signal?: AbortSignal): Promise<FoundDetails[]> {
    return (await this.now()).details(files, signal);
  }

  async write(
    path: string,
    content: Readable | Buffer,
    options: WriteOptions,
    signal?: AbortSignal,
  ): Promise<FileEntry> {
    return (await this.now()).write(path, content, options, signal);
  }

  async mkdir(path: string, options?: { parents?: boolean }): Promise<FileEntry> {
    return (await this.now()).mkdir(path, options);
  }

  async rename(from: string, to: string, options: RenameOptions): Promise<FileEntry> {
    return (await this.now()).rename(from, to, options);
  }

  async copy(from: string, to: string, options: CopyOptions, signal?: AbortSignal): Promise<FileEntry> {
    return (await this.now()).copy(from, to, options, signal);
  }

  async remove(path: string, options: RemoveOptions, signal?: AbortSignal): Promise<void> {
    return (await this.now()).remove(path, options, signal);
  }

  async chmod(path: string, mode: number): Promise<FileEntry> {
    return (await this.now()).chmod(path, mode);
  }

  async usage(path: string, signal?: AbortSignal): Promise<TreeUsage> {
    return (await this.now()).usage(path, signal);
  }

  async watch(path: string, options: { recursive: boolean }, listener: Listener): Promise<() => void> {
    const watch: Watch = { path, options, listener, stop: undefined };
    this.watches.add(watch);
    try {
      await this.follow(watch);
    } catch (error) {
      this.watches.delete(watch);
      throw error;
    }
    return () => {
      this.watches.delete(watch);
      watch.stop?.();
    };
  }

  async getTar(path: string, signal?: AbortSignal, unread?: Unread, note?: string): Promise<Readable> {
    return (await this.now()).getTar(path, signal, unread, note);
  }

  async receiveTar(...input: Parameters<VolumeFiles['receiveTar']>): Promise<void> {
    return (await this.now()).receiveTar(...input);
  }

  async noteCopied(): Promise<string> {
    const files = await this.now();
    const note = await files.noteCopied();
    this.stages.set(note, files);
    return note;
  }

  /** Whoever has it now may not know the note: then nothing is removed. */
  async removeCopied(note: string, path: string): Promise<Kept[]> {
    return (await this.now()).removeCopied(note, path);
  }

  async forgetCopied(note: string): Promise<void> {
    const files = this.stages.get(note);
    this.stages.delete(note);
    await files?.forgetCopied(note);
  }

  async stage(): Promise<string> {
    const files = await this.now();
    const stage = await files.stage();
    this.stages.set(stage, files);
    return stage;
  }

  async putTar(
    stage: string,
    tar: Readable | TarSource,
    signal?: AbortSignal,
    options?: PutTarOptions,
  ): Promise<Unpacked> {
    return (await this.now()).putTar(stage, tar, signal, options);
  }

  async merge(stage: string, target: string, policy: ConflictPolicy): Promise<MergeResult> {
    const files = await this.filesOf(stage);
    return files.merge(stage, target, policy);
  }

  async unstage(stage: string): Promise<void> {
    return (await this.filesOf(stage)).unstage(stage);
  }

  /** Ends the watches; the files themselves are closed by whoever opened them. */
  close(): Promise<void> {
    this.pause();
    this.watches.clear();
    return Promise.resolve();
  }

  private async filesOf(stage: string): Promise<VolumeFiles> {
    const files = this.stages.get(stage) ?? (await this.now());
    this.stages.delete(stage);
    return files;
  }

  private async now(): Promise<VolumeFiles> {
    const files = await this.current();
    if ([...this.watches].some((watch) => this.isWaiting(watch))) {
      void this.resume();
    }
    return files;
  }

  /** Asks for what is watched but not reported now; what can't be had yet is asked for again later. */
  async resume(): Promise<void> {
    for (const watch of [...this.watches].filter((each) => this.isWaiting(each))) {
      try {
        await this.follow(watch);
      } catch (error) {
        if (error instanceof BerthError && error.code === 'path_not_found' && this.watches.delete(watch)) {
          watch.listener([{ type: 'deleted', path: watch.path }]);
        }
      }
    }
  }

  private isWaiting(watch: Watch): boolean {
    return this.watches.has(watch) && watch.stop === undefined;
  }

  private async follow(watch: Watch): Promise<void> {
    const { generation } = this;
    const files = await this.current();
    // Two may ask at once: the first one who gets it does.
    if (!this.isWaiting(watch)) {
      return;
    }
    const release = await files.watch(watch.path, watch.options, (changes) => {
      if (this.generation === generation && watch.stop === stop) {
        watch.listener(changes);
      }
    });
    const stop = (): void => release();
    if (this.generation === generation && this.isWaiting(watch)) {
      watch.stop = stop;
    } else {
      release();
    }
  }
}
