/** Files that can be had as tars alone, and not be changed: those of a container that does not run. */
import { PassThrough, pipeline, Transform, type Readable } from 'node:stream';
import { BerthError } from '../../api/errors';
import type { FileEntry, FileList } from '../../api/files/schemas';
import { baseName, normalizePath, quote } from '../../api/rules/volume-path';
import { pieceZeros } from '../tar/sparse-sink';
import { push, takeAll, type TakeChunk } from '../tar/flow';
import type { TarEntry } from '../tar/header';
import { TarReader } from '../tar/read';
import type { TarVisitor } from '../tar/visitor';
import type { FoundDetails, Inventory } from './inventory';
import { TarGaps, type BesideTars } from './tar-gaps';
import { UnchangeableFiles } from './unchangeable-files';
import type { ListOptions, TextOfFiles, TreeUsage, Unread, VolumeFiles } from './volume-files';
import { asError } from '../machine/as-error';

const maxLinks = 40;
const blockBytes = 512;

/** As little as it can be searched. */
export function tooSlowToCompare(volume: string): BerthError {
  return new BerthError('not_supported', `${volume} can't be compared while its workspace does not run.`, {
    hint: 'Start the workspace, or compare one of its volumes.',
  });
}

/** A tar of what is at a path, links on the way followed inside; the first entry is the thing itself. */
export type OpenTar = (path: string, signal?: AbortSignal) => Promise<Readable>;

/** Each list of a folder reads all that is in it. */
export function tooSlowToSearch(volume: string): BerthError {
  return new BerthError('not_supported', `${volume} can't be searched while its workspace does not run.`, {
    hint: 'Start the workspace, or search one of its volumes.',
  });
}

export class TarFiles extends UnchangeableFiles implements VolumeFiles {
  readonly hasSlowLists = true;

  constructor(
    readonly volume: string,
    private readonly openTar: OpenTar,
    protected readonly refusal: () => BerthError,
    /** Absent where tars have all that there is. */
    private readonly beside?: BesideTars,
  ) {
    super();
  }

  async stat(path: string): Promise<FileEntry> {
    const entry = await this.entryAt(path);
    return entry.type === 'symlink' ? { ...entry, targetType: await this.targetType(path) } : entry;
  }

  /** A page of a folder. Throws `not_a_directory`. */
  async list(path: string, { limit, cursor }: ListOptions = {}): Promise<FileList> {
    const { real, entry } = await this.follow(path);
    if (entry.type !== 'directory') {
      throw new BerthError('not_a_directory', `${quote(path)} is not a folder.`);
    }
    const found = new Map<string, FileEntry>();
    await this.walk(real, (each, parts) => {
      if (parts.length === 1 && parts[0] !== undefined) {
        found.set(parts[0], toEntry(parts[0], each));
      }
    });
    const entries = [...found.values()].sort((a, b) => compare(a.name, b.name));
    const rest = cursor === undefined ? entries : entries.filter(({ name }) => compare(name, cursor) > 0);
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return {
      path: normalizePath(path),
      entries: page,
      total: entries.length,
      ...(page.length < rest.length && last !== undefined && { next: last.name }),
    };
  }

  /** The content of a file, or a part of it. Throws `is_a_directory`, and `not_supported` for what is no file. */
  async read(
    path: string,
    { offset = 0, length = Infinity }: { offset?: number; length?: number } = {},
    signal?: AbortSignal,
  ): Promise<Readable> {
    const { real, entry } = await this.follow(path);
    if (entry.type !== 'file') {
      const code = entry.type === 'directory' ? 'is_a_directory' : 'not_supported';
      throw new BerthError(code, `${quote(path)} is not a file.`);
    }
    const tar = await this.open(real, signal);
    const output = new PassThrough();
    output.once('close', () => tar.destroy());
    let at = 0;
    const piece = (bytes: Buffer): Promise<void> | undefined => {
      const from = Math.min(bytes.length, Math.max(0, offset - at));
      const to = Math.max(from, Math.min(bytes.length, offset + length - at));
      at += bytes.length;
      return from === to ? undefined : push(output, Buffer.from(bytes.subarray(from, to)));
    };
    const hole = (size: number): Promise<void> | undefined => {
      const before = Math.min(size, Math.max(0, offset - at));
      at += before;
      const wanted = Math.min(size - before, Math.max(0, offset + length - at));
      return pieceZeros(piece, wanted);
    };
    const reader = new TarReader({
      entry: (_entry, content) => piece(content),
      large: () => ({ piece, hole, end: () => undefined }),
    });
    takeAll(tar, (chunk) => reader.push(chunk)).then(
      () => output.end(),
      (error: unknown) => output.destroy(asError(error)),
    );
    return output;
  }

  searchText(): Promise<TextOfFiles> {
    return Promise.reject(tooSlowToSearch(this.volume));
  }

  inventory(): Promise<Inventory> {
    return Promise.reject(tooSlowToCompare(this.volume));
  }

  details(): Promise<FoundDetails[]> {
    return Promise.reject(tooSlowToCompare(this.volume));
  }

  async usage(path: string, signal?: AbortSignal): Promise<TreeUsage> {
    const usage: TreeUsage = { bytes: 0, allocated: 0, files: 0, directories: 0 };
    const count = ({ type, size }: TarEntry): void => {
      if (type === 'directory') {
        usage.directories += 1;
        return;
      }
      usage.files += 1;
      if (type === 'file') {
        usage.bytes += size;
        usage.allocated += Math.ceil(size / blockBytes) * blockBytes;
      }
    };
    await this.walk(normalizePath(path), count, signal);
    return usage;
  }

  async getTar(path: string, signal?: AbortSignal, unread?: Unread): Promise<Readable> {
    const gaps = await this.gaps(path, unread);
    const tar = await this.open(normalizePath(path), signal);
    if (gaps === undefined || unread === undefined) {
      return tar;
    }
    const watched = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        gaps.push(chunk);
        done(null, chunk);
      },
      flush: (done) => void gaps.report(unread).then(() => done(), done),
    });
    return pipeline(tar, watched, () => undefined);
  }

  async receiveTar(path: string, take: TakeChunk, signal?: AbortSignal, unread?: Unread): Promise<void> {
    const gaps = await this.gaps(path, unread);
    const tar = await this.open(normalizePath(path), signal);
    await takeAll(tar, (chunk) => {
      gaps?.push(chunk);
      return take(chunk);
    });
    signal?.throwIfAborted();
    if (unread !== undefined) {
      await gaps?.report(unread);
    }
  }

  /** Undefined where nobody asks for what is left out, or nothing can be. */
  private async gaps(path: string, unread?: Unread): Promise<TarGaps | undefined> {
    return this.beside === undefined || unread === undefined
      ? undefined
      : TarGaps.begin(
          this.beside,
          normalizePath(path),
          unread,
          async (folder) => (await this.follow(folder)).real,
        );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async open(path: string, signal?: AbortSignal): Promise<Readable> {
    try {
      return await this.openTar(path, signal);
    } catch (error) {
      if (error instanceof BerthError && error.code === 'not_found') {
        throw new BerthError('path_not_found', `There is nothing at ${quote(path)}.`, { cause: error });
      }
      throw error;
    }
  }

  /** Every entry, with its path from the thing that was asked for, which is `[]` itself. */
  private async walk(
    path: string,
    visit: (entry: TarEntry, parts: string[]) => void,
    signal?: AbortSignal,
    isEnough: () => boolean = () => false,
  ): Promise<void> {
    const tar = await this.open(path, signal);
    const see = (entry: TarEntry): void =>
      visit(
        entry,
        entry.name
          .split('/')
          .filter((part) => part !== '' && part !== '.')
          .slice(path === '/' ? 0 : 1),
      );
    const visitor: TarVisitor = {
      entry: (entry) => {
        see(entry);
        return undefined;
      },
      large: (entry) => {
        see(entry);
        return undefined;
      },
    };
    const reader = new TarReader(visitor);
    await takeAll(tar, (chunk) => {
      const answer = reader.push(chunk);
      if (isEnough()) {
        tar.destroy();
      }
      return answer;
    });
    signal?.throwIfAborted();
  }

  private async entryAt(path: string): Promise<FileEntry> {
    const normal = normalizePath(path);
    let found: FileEntry | undefined;
    const first = (entry: TarEntry): void => void (found ??= toEntry(baseName(normal), entry));
    await this.walk(normal, first, undefined, () => found !== undefined);
    // Of a socket there is a tar with nothing in it.
    found ??= await this.socketAt(normal);
    if (found === undefined) {
      throw new BerthError('path_not_found', `There is nothing at ${quote(normal)}.`);
    }
    return found;
  }

  private async socketAt(path: string): Promise<FileEntry | undefined> {
    if ((await this.beside?.isSocket(path)) !== true) {
      return undefined;
    }
    const unknown = { size: 0, mode: 0, uid: 0, gid: 0, mtimeMs: 0, ctimeMs: 0 };
    return { name: baseName(path), type: 'other', ...unknown };
  }

  /** What a path leads to in the end: `..` in a link goes back from where the links before it have led. */
  private async follow(path: string): Promise<{ real: string; entry: FileEntry }> {
    const first = await this.entryAt(path);
    if (first.type !== 'symlink') {
      return { real: normalizePath(path), entry: first };
    }
    const todo = componentsOf(path).reverse();
    let done: string[] = [];
    for (let links = 0; links <= maxLinks;) {
      const name = todo.pop();
      if (name === undefined) {
        const real = `/${done.join('/')}`;
        // After `..`, or a link to the root, it is not what was looked at last.
        return { real, entry: await this.entryAt(real) };
      }
      if (name === '..') {
        done.pop();
        continue;
      }
      const entry = await this.entryAt(`/${[...done, name].join('/')}`);
      if (entry.type !== 'symlink') {
        done.push(name);
        continue;
      }
      const target = entry.linkTarget ?? '';
      done = target.startsWith('/') ? [] : done;
      todo.push(...componentsOf(target).reverse());
      links += 1;
    }
    throw new BerthError('path_not_found', `Too many links on the way to ${quote(path)}.`);
  }

  private async targetType(path: string): Promise<FileEntry['targetType']> {
    try {
      const { type } = (await this.follow(path)).entry;
      return type === 'file' || type === 'directory' ? type : 'other';
    } catch (error) {
      if (error instanceof BerthError && error.code === 'path_not_found') {
        return 'missing';
      }
      throw error;
    }
  }
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function toEntry(name: string, { type, size, mode, uid, gid, mtimeMs, linkName }: TarEntry): FileEntry {
  return {
    name,
    // Another name of a file is that file.
    type: type === 'link' ? 'file' : type,
    size: type === 'file' ? size : 0,
    mode: mode & 0o7777,
    ...{ uid, gid, mtimeMs, ctimeMs: mtimeMs },
    ...(type === 'symlink' && { linkTarget: linkName }),
  };
}
