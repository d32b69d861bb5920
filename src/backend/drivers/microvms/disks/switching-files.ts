/** The files of one volume, through whoever has it now: the machine that runs with it, or nobody but us. */
import type { Readable } from 'node:stream';
import type { ConflictPolicy, FileChange, FileEntry, FileList } from '../../../../api/schemas/file';
import type { TakeChunk, TarSource } from '../../../files/tar-flow';
import type {
  CopyOptions,
  ListOptions,
  MergeResult,
  TreeUsage,
  VolumeFiles,
  WriteOptions,
} from '../../../files/volume-files';

type Listener = (changes: FileChange[]) => void;

interface Watch {
  path: string;
  options: { recursive: boolean };
  listener: Listener;
  /** Ends what the current files were asked for. */
  stop: () => void;
  /** Which files that were: answers of earlier ones are of no interest. */
  generation: number;
}

export class SwitchingFiles implements VolumeFiles {
  private readonly watches = new Set<Watch>();
  private generation = 0;
  /** Stages live and die with the files that they were made in. */
  private readonly stages = new Map<string, VolumeFiles>();

  constructor(
    readonly volume: string,
    private readonly current: () => Promise<VolumeFiles>,
  ) {}

  /** Somebody else has the volume from now on. Watches go on there. */
  async switched(): Promise<void> {
    this.generation++;
    for (const watch of this.watches) {
      watch.stop();
      watch.stop = () => undefined;
    }
    for (const watch of [...this.watches]) {
      await this.follow(watch).catch(() => this.lost(watch));
      watch.listener([{ type: 'changed', path: watch.path }]);
    }
  }

  /** Ends watches before the files that they are in are closed. */
  pause(): void {
    this.generation++;
    for (const watch of this.watches) {
      watch.stop();
      watch.stop = () => undefined;
    }
  }

  async stat(path: string): Promise<FileEntry> {
    return (await this.current()).stat(path);
  }

  async list(path: string, options?: ListOptions): Promise<FileList> {
    return (await this.current()).list(path, options);
  }

  async read(
    path: string,
    options?: { offset?: number; length?: number },
    signal?: AbortSignal,
  ): Promise<Readable> {
    return (await this.current()).read(path, options, signal);
  }

  async write(
    path: string,
    content: Readable | Buffer,
    options: WriteOptions,
    signal?: AbortSignal,
  ): Promise<FileEntry> {
    return (await this.current()).write(path, content, options, signal);
  }

  async mkdir(path: string, options?: { parents?: boolean }): Promise<FileEntry> {
    return (await this.current()).mkdir(path, options);
  }

  async rename(from: string, to: string, options: { overwrite: boolean }): Promise<FileEntry> {
    return (await this.current()).rename(from, to, options);
  }

  async copy(from: string, to: string, options: CopyOptions, signal?: AbortSignal): Promise<FileEntry> {
    return (await this.current()).copy(from, to, options, signal);
  }

  async remove(path: string, options: { recursive: boolean }, signal?: AbortSignal): Promise<void> {
    return (await this.current()).remove(path, options, signal);
  }

  async chmod(path: string, mode: number): Promise<FileEntry> {
    return (await this.current()).chmod(path, mode);
  }

  async usage(path: string, signal?: AbortSignal): Promise<TreeUsage> {
    return (await this.current()).usage(path, signal);
  }

  async watch(path: string, options: { recursive: boolean }, listener: Listener): Promise<() => void> {
    const watch: Watch = { path, options, listener, stop: () => undefined, generation: this.generation };
    this.watches.add(watch);
    try {
      await this.follow(watch);
    } catch (error) {
      this.watches.delete(watch);
      throw error;
    }
    return () => {
      this.watches.delete(watch);
      watch.stop();
    };
  }

  async getTar(path: string, signal?: AbortSignal): Promise<Readable> {
    return (await this.current()).getTar(path, signal);
  }

  async receiveTar(path: string, take: TakeChunk, signal?: AbortSignal): Promise<void> {
    return (await this.current()).receiveTar(path, take, signal);
  }

  async stage(): Promise<string> {
    const files = await this.current();
    const stage = await files.stage();
    this.stages.set(stage, files);
    return stage;
  }

  async putTar(stage: string, tar: Readable | TarSource, signal?: AbortSignal): Promise<void> {
    return (await this.current()).putTar(stage, tar, signal);
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
    const files = this.stages.get(stage) ?? (await this.current());
    this.stages.delete(stage);
    return files;
  }

  private async follow(watch: Watch): Promise<void> {
    watch.generation = this.generation;
    const { generation } = watch;
    const files = await this.current();
    const stop = await files.watch(watch.path, watch.options, (changes) => {
      if (watch.generation === generation && this.generation === generation) {
        watch.listener(changes);
      }
    });
    if (this.watches.has(watch) && this.generation === generation) {
      watch.stop = stop;
    } else {
      stop();
    }
  }

  private lost(watch: Watch): void {
    if (this.watches.delete(watch)) {
      watch.listener([{ type: 'deleted', path: watch.path }]);
    }
  }
}
