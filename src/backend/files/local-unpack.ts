/**
 * Unpacks a tar from a volume into a new folder of this machine. Nothing in a tar is trusted: no name leads out of
 * the folder, links are made last so that nothing is written through one, and rights to become somebody else are dropped.
 */
import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  symlink,
  utimes,
  type FileHandle,
} from 'node:fs/promises';
import { BerthError } from '../../api/errors';
import { below, safeParts, staysInside, unusableName } from './local-names';
import { reasonOf } from './local-tree';
import { localPath } from './names';
import type { TarEntry } from './tar-header';
import { readTar, type TarVisitor } from './tar-read';

const parallel = 24;
const pieceSize = 1024 * 1024;
/** What a umask usually takes away: such modes are set once more. */
const masked = 0o022;

export interface UnpackReport {
  received(bytes: number, name: string): void;
  /** Not made: it can't be, or must not be. */
  skipped(name: string, reason: string): void;
  failed(name: string, reason: string): void;
}

interface Later {
  parts: string[];
  entry: TarEntry;
}

class Unpack implements TarVisitor {
  files = 0;
  private readonly folders = new Set<string>(['']);
  private readonly links: Later[] = [];
  private readonly hardLinks: Later[] = [];
  private readonly finished: Later[] = [];
  private readonly running = new Set<Promise<void>>();
  private fatal: BerthError | undefined;

  constructor(
    private readonly folder: string,
    private readonly rename: (parts: string[]) => string[],
    private readonly report: UnpackReport,
    private readonly signal: AbortSignal,
  ) {}

  async entry(entry: TarEntry, content: Buffer): Promise<void> {
    const parts = this.accept(entry);
    if (parts === undefined) {
      return;
    }
    if (entry.type === 'directory') {
      await this.makeFolder(parts);
      this.finished.push({ parts, entry });
    } else if (entry.type === 'symlink') {
      this.links.push({ parts, entry });
    } else if (entry.type === 'link') {
      this.hardLinks.push({ parts, entry });
    } else {
      await this.makeFolder(parts.slice(0, -1));
      await this.start(() => this.write(parts, entry, [content]));
    }
  }

  async large(entry: TarEntry, pieces: AsyncIterable<Buffer>): Promise<void> {
    const parts = this.accept(entry);
    if (parts !== undefined) {
      await this.makeFolder(parts.slice(0, -1));
      await this.write(parts, entry, pieces);
    }
  }

  /** Waits for what is under way, then makes links, then gives folders their modes and times. */
  async finish(): Promise<void> {
    await Promise.all(this.running);
    this.check();
    for (const later of this.hardLinks) {
      await this.attempt(later, () => this.makeHardLink(later));
    }
    for (const later of this.links) {
      await this.attempt(later, () => this.makeLink(later));
    }
    for (const { parts, entry } of this.finished.reverse()) {
      const path = localPath(below(this.folder, parts));
      await this.attempt({ parts }, async () => {
        await utimes(path, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
        await chmod(path, entry.mode & 0o777);
      });
    }
  }

  private check(): void {
    this.signal.throwIfAborted();
    if (this.fatal !== undefined) {
      throw this.fatal;
    }
  }

  private accept(entry: TarEntry): string[] | undefined {
    this.check();
    const safe = safeParts(entry.name);
    const parts = safe && this.rename(safe);
    if (parts === undefined || (parts.length === 0 && entry.type !== 'directory')) {
      this.report.failed(entry.name, 'its name leads out of the folder');
      return undefined;
    }
    const unusable =
      entry.type === 'other' ? 'it is neither a file, a folder nor a link' : unusableName(parts);
    if (unusable !== undefined) {
      this.report.skipped(parts.join('/'), unusable);
      return undefined;
    }
    return parts;
  }

  private async makeFolder(parts: readonly string[]): Promise<void> {
    const key = parts.join('/');
    if (this.folders.has(key)) {
      return;
    }
    await this.makeFolder(parts.slice(0, -1));
    await this.attempt({ parts: [...parts] }, async () => {
      await mkdir(localPath(below(this.folder, parts)), { mode: 0o700 });
      this.folders.add(key);
    });
  }

  private async start(run: () => Promise<void>): Promise<void> {
    const job: Promise<void> = run().finally(() => this.running.delete(job));
    this.running.add(job);
    if (this.running.size >= parallel) {
      await Promise.race(this.running);
    }
  }

  private async write(
    parts: string[],
    entry: TarEntry,
    pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<void> {
    await this.attempt({ parts }, async () => {
      const file = await open(localPath(below(this.folder, parts)), 'wx', entry.mode & 0o777);
      try {
        await this.fill(file, pieces, parts.join('/'));
        if ((entry.mode & masked) !== 0) {
          await file.chmod(entry.mode & 0o777);
        }
        await file.utimes(entry.mtimeMs / 1000, entry.mtimeMs / 1000);
      } finally {
        await file.close();
      }
      this.files++;
    });
  }

  private async fill(
    file: FileHandle,
    pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
    name: string,
  ): Promise<void> {
    let gathered: Buffer[] = [];
    let size = 0;
    let writing: Promise<unknown> = Promise.resolve();
    for await (const piece of pieces) {
      this.signal.throwIfAborted();
      gathered.push(piece);
      size += piece.length;
      if (size >= pieceSize) {
        await writing;
        writing = writeAll(file, gathered);
        writing.catch(() => undefined);
        this.report.received(size, name);
        gathered = [];
        size = 0;
      }
    }
    await writing;
    await writeAll(file, gathered);
    this.report.received(size, name);
  }

  private async makeHardLink({ parts, entry }: Later): Promise<void> {
    const safe = safeParts(entry.linkName);
    const source = localPath(below(this.folder, this.rename(safe ?? [])));
    if (safe === undefined || !(await lstat(source)).isFile()) {
      this.report.failed(parts.join('/'), 'what it is the same file as is not there');
      return;
    }
    const path = localPath(below(this.folder, parts));
    await this.makeFolder(parts.slice(0, -1));
    await link(source, path).catch(() => copyFile(source, path));
    this.files++;
  }

  private async makeLink({ parts, entry }: Later): Promise<void> {
    const name = parts.join('/');
    if (!staysInside(parts, entry.linkName)) {
      this.report.skipped(name, `the link leads out of the folder, to ${JSON.stringify(entry.linkName)}`);
      return;
    }
    await this.makeFolder(parts.slice(0, -1));
    await symlink(localPath(entry.linkName), localPath(below(this.folder, parts)));
    this.files++;
  }

  /** What one file can't is told and passed over; a full disk ends it all. */
  private async attempt({ parts }: { parts: string[] }, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.signal.throwIfAborted();
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS') {
        this.fatal = diskError(code, error);
      } else {
        this.report.failed(parts.join('/'), reasonOf(error));
      }
    }
  }
}

export function diskError(code: string, cause: unknown): BerthError {
  return code === 'EROFS'
    ? new BerthError('read_only', 'The folder on this machine is on a read-only disk.', { cause })
    : new BerthError('no_space', 'The disk of this machine is full.', {
        hint: 'Free some space, or choose a folder on another disk. What was copied so far was removed.',
        cause,
      });
}

async function writeAll(file: FileHandle, pieces: Buffer[]): Promise<void> {
  let left = pieces.filter((piece) => piece.length > 0);
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left);
    while (left[0] !== undefined && bytesWritten >= left[0].length) {
      bytesWritten -= left[0].length;
      left = left.slice(1);
    }
    if (left[0] !== undefined) {
      left = [left[0].subarray(bytesWritten), ...left.slice(1)];
    }
  }
}

/** Unpacks into an empty folder; `rename` says where an entry goes. Answers how many files and links there are. */
export async function unpackTar(
  tar: AsyncIterable<Buffer>,
  folder: string,
  rename: (parts: string[]) => string[],
  report: UnpackReport,
  signal: AbortSignal,
): Promise<number> {
  const unpack = new Unpack(folder, rename, report, signal);
  try {
    await readTar(tar, unpack);
  } finally {
    await unpack.finish();
  }
  return unpack.files;
}
