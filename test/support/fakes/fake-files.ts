/** Files in memory, by path: for the routes that carry them. The real ones are tested in `files/`. */
import { Readable } from 'node:stream';
import { BerthError } from '../../../src/api/errors';
import type { FileChange, FileEntry, FileList } from '../../../src/api/files/schemas';
import type { FoundDetails, Inventory, InventoryRow } from '../../../src/backend/files/inventory';
import type { Kept } from '../../../src/backend/files/kept';
import type {
  MergeResult,
  TextOfFiles,
  TreeUsage,
  Unpacked,
  VolumeFiles,
  WriteOptions,
} from '../../../src/backend/files/volume-files';

export class FakeFiles implements VolumeFiles {
  readonly contents = new Map<string, Buffer>();
  readonly watchers = new Set<(changes: FileChange[]) => void>();
  readonly writes: { path: string; options: WriteOptions }[] = [];
  /** Ends when the test says so: a watch that is slow to begin. */
  beforeWatch: Promise<void> = Promise.resolve();

  constructor(readonly volume: string) {}

  stat(path: string): Promise<FileEntry> {
    const content = this.contents.get(path);
    if (content === undefined) {
      return Promise.reject(new BerthError('path_not_found', `There is no ${path}.`));
    }
    return Promise.resolve(entry(path, content.length));
  }

  list(path: string): Promise<FileList> {
    const entries = [...this.contents].map(([name, content]) => entry(name, content.length));
    return Promise.resolve({ path, entries, total: entries.length });
  }

  async read(
    path: string,
    { offset = 0, length }: { offset?: number; length?: number } = {},
  ): Promise<Readable> {
    await this.stat(path);
    const content = this.contents.get(path) ?? Buffer.alloc(0);
    return Readable.from([content.subarray(offset, length === undefined ? undefined : offset + length)]);
  }

  /** All lines, whatever is looked for. */
  searchText(paths: readonly string[]): Promise<TextOfFiles> {
    const counts = { binary: 0, tooLarge: 0, unread: 0 };
    const files = paths.flatMap((path) => {
      const content = this.contents.get(path) ?? Buffer.alloc(0);
      const isBinary = content.includes(0);
      counts.binary += isBinary ? 1 : 0;
      return isBinary ? [] : [{ path, pieces: [{ line: 1, content }] }];
    });
    return Promise.resolve({ ...counts, done: paths.length, searched: paths.length, files });
  }

  inventory(): Promise<Inventory> {
    const rowOf = (name: string, mode: number, size: number): InventoryRow => ({
      ...{ name, mode, uid: 1000, gid: 1000, size, device: 0, mtimeMs: 0 },
      ...{ mark: undefined, digest: undefined },
    });
    const root = rowOf('', 0o040755, 0);
    const rows = [...this.contents]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([path, { length }]) => rowOf(path.slice(1), 0o100644, length));
    return Promise.resolve({
      root,
      path: '/',
      folders: async function* () {
        yield await Promise.resolve({ parts: [], own: root, rows });
      },
      close: () => Promise.resolve(),
    });
  }

  details(files: readonly { path: string }[]): Promise<FoundDetails[]> {
    const digestOf = (path: string): string => this.contents.get(path)?.toString('hex') ?? '';
    return Promise.resolve(
      files.map(({ path }) => ({ target: undefined, attributes: '', digest: digestOf(path) })),
    );
  }

  async write(
    path: string,
    content: Readable | Buffer,
    options: WriteOptions,
    signal?: AbortSignal,
  ): Promise<FileEntry> {
    this.writes.push({ path, options });
    const chunks: Buffer[] = [];
    for await (const chunk of Buffer.isBuffer(content) ? [content] : content) {
      chunks.push(chunk as Buffer);
    }
    signal?.throwIfAborted();
    this.contents.set(path, Buffer.concat(chunks));
    return this.stat(path);
  }

  mkdir(path: string): Promise<FileEntry> {
    return Promise.resolve({ ...entry(path, 0), type: 'directory' });
  }

  async rename(from: string, to: string): Promise<FileEntry> {
    await this.stat(from);
    this.contents.set(to, this.contents.get(from) ?? Buffer.alloc(0));
    this.contents.delete(from);
    return this.stat(to);
  }

  async copy(from: string, to: string): Promise<FileEntry> {
    await this.stat(from);
    this.contents.set(to, this.contents.get(from) ?? Buffer.alloc(0));
    return this.stat(to);
  }

  remove(path: string): Promise<void> {
    this.contents.delete(path);
    return Promise.resolve();
  }

  async chmod(path: string, mode: number): Promise<FileEntry> {
    return { ...(await this.stat(path)), mode };
  }

  usage(): Promise<TreeUsage> {
    return Promise.resolve({ bytes: 0, allocated: 0, files: 0, directories: 1 });
  }

  async watch(
    _path: string,
    _options: { recursive: boolean },
    listener: (changes: FileChange[]) => void,
  ): Promise<() => void> {
    await this.beforeWatch;
    this.watchers.add(listener);
    return () => this.watchers.delete(listener);
  }

  getTar(path: string): Promise<Readable> {
    return Promise.resolve(Readable.from([Buffer.from(`tar of ${path}`)]));
  }

  receiveTar(): Promise<void> {
    return Promise.resolve();
  }

  noteCopied(): Promise<string> {
    return Promise.resolve('note');
  }

  removeCopied(_note: string, path: string): Promise<Kept[]> {
    this.contents.delete(path);
    return Promise.resolve([]);
  }

  forgetCopied(): Promise<void> {
    return Promise.resolve();
  }

  stage(): Promise<string> {
    return Promise.resolve('/.stage');
  }

  putTar(): Promise<Unpacked> {
    return Promise.resolve({ lost: [], failed: [] });
  }

  merge(): Promise<MergeResult> {
    return Promise.resolve({ files: 0, skipped: [], renamed: [], failed: [] });
  }

  unstage(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function entry(path: string, size: number): FileEntry {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { name, type: 'file', size, mode: 0o644, uid: 1000, gid: 1000, mtimeMs: 0, ctimeMs: 0 };
}
