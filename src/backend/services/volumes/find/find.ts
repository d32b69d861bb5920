/**
 * Finds files, or lines in files, below a folder of a volume: through its files' interface, so that it is the same for what
 * runs and what does not, in containers and in disks. Links are not followed.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { asBerthError } from '../../../../api/errors';
import type { FindEnd, FindEvent, FindQuery } from '../../../../api/files/find';
import type { FileEntry } from '../../../../api/files/schemas';
import { workspaceOfRoot } from '../../../../api/rules/root-files';
import { mebibyte } from '../../../../api/rules/sizes';
import { joinPath, normalizePath } from '../../../../api/rules/volume-path';
import { tooSlowToSearch } from '../../../files/tar-files';
import type { TextQuery, VolumeFiles } from '../../../files/volume-files';
import { selectionOf, type Selection } from './globs';
import { lineMatcher, needleOf, type LineMatcher } from './line-matcher';

/** Each answer is a round trip: so many are under way at once. */
const foldersAtOnce = 8;
const batchesAtOnce = 4;
/** Files that are asked for at once. */
const batchFiles = 256;
const batchBytes = 4 * mebibyte;
const maxFileBytes = 16 * mebibyte;
const defaultLimit = 10_000;
/** So long, in ms, others wait while lines are looked at; an expression may take longer for one file. */
const stepMs = 20;

/** In the root of a whole system: what its kernel makes up while it is read. Named by a search, they are searched. */
const madeUp: ReadonlySet<string> = new Set(['proc', 'sys', 'dev']);

interface Found {
  path: string;
  entry: FileEntry;
}

/** Made before anything is sent: what is wrong with the question is an ordinary answer. Throws `bad_request`. */
export class Search {
  private readonly matcher: LineMatcher | undefined;
  private readonly text: TextQuery;
  private readonly include: Selection | undefined;
  private readonly exclude: Selection | undefined;
  private readonly root: string;
  private readonly limit: number;
  private readonly folders: string[] = [];
  private readonly todo: Found[] = [];
  private readonly over = new AbortController();
  private readonly signal: AbortSignal;
  private readonly end: FindEnd = {
    found: 0,
    hasMore: false,
    searched: 0,
    binary: 0,
    tooLarge: 0,
    unread: 0,
  };

  constructor(
    private readonly files: VolumeFiles,
    query: FindQuery,
    private readonly report: (event: FindEvent) => void,
    private readonly cancelled: AbortSignal,
  ) {
    this.signal = AbortSignal.any([cancelled, this.over.signal]);
    this.matcher = query.text === undefined ? undefined : lineMatcher(query);
    this.text = { needle: needleOf(query), anyCase: query.caseSensitive !== true, maxFileBytes };
    this.include = selectionOf('include', query.include);
    this.exclude = selectionOf('exclude', query.exclude);
    this.root = normalizePath(query.path ?? '/');
    this.limit = query.limit ?? defaultLimit;
  }

  /** Resolves when all is reported. Rejects with what is wrong with the folder itself, and when it is cancelled. */
  async run(): Promise<void> {
    try {
      await this.begin();
      await this.rest();
    } finally {
      // What is still under way ends where it is.
      this.over.abort();
    }
    this.cancelled.throwIfAborted();
    this.report({ end: this.end });
  }

  /** At a folder, or at one file. */
  private async begin(): Promise<void> {
    try {
      await this.folder(this.root);
    } catch (error) {
      const entry =
        asBerthError(error).code === 'not_a_directory' ? await this.files.stat(this.root) : undefined;
      if (entry === undefined || (entry.targetType ?? entry.type) !== 'file') {
        throw error;
      }
      this.take([{ path: this.root, entry }]);
    }
  }

  private rest(): Promise<void> {
    return new Promise((resolve, reject) => {
      const running = { folders: 0, batches: 0 };
      const run = async (kind: keyof typeof running, work: Promise<void>): Promise<void> => {
        running[kind]++;
        await work.catch((error: unknown) => {
          if (!this.isOver()) {
            throw error;
          }
        });
        running[kind]--;
        next();
      };
      const next = (): void => {
        while (!this.isOver() && running.folders < foldersAtOnce && this.folders.length > 0) {
          run('folders', this.folderUnlessGone(this.folders.pop() ?? this.root)).catch(reject);
        }
        while (!this.isOver() && running.batches < batchesAtOnce && this.todo.length > 0) {
          run('batches', this.batch()).catch(reject);
        }
        if (this.isOver() || running.folders + running.batches === 0) {
          resolve();
        }
      };
      next();
    });
  }

  private isOver(): boolean {
    return this.end.hasMore || this.signal.aborted;
  }

  private async folderUnlessGone(path: string): Promise<void> {
    try {
      await this.folder(path);
    } catch (error) {
      const { code } = asBerthError(error);
      if (code === 'bad_request') {
        throw error;
      }
      // Gone since the folder around it was read.
      this.end.unread += code === 'path_not_found' ? 0 : 1;
    }
  }

  private async folder(path: string): Promise<void> {
    const { entries } = await this.files.list(path);
    const isSystem = path === '/' && workspaceOfRoot(this.files.volume) !== undefined;
    const real = isSystem ? entries.filter(({ name }) => !madeUp.has(name)) : entries;
    const below = real.map((entry) => ({ entry, path: joinPath(path, entry.name) }));
    const relative = (found: Found): string => found.path.slice(this.root === '/' ? 1 : this.root.length + 1);
    const excluded = this.exclude?.(below.map(relative));
    const left = excluded === undefined ? below : below.filter((each) => !excluded.has(relative(each)));
    const files = left.filter(({ entry }) => entry.type === 'file');
    const included = this.include?.(files.map(relative));
    const wanted = included === undefined ? files : files.filter((each) => included.has(relative(each)));
    this.take(wanted);
    this.folders.push(...left.filter(({ entry }) => entry.type === 'directory').map((each) => each.path));
  }

  private take(wanted: readonly Found[]): void {
    if (this.matcher === undefined) {
      this.end.searched += wanted.length;
      this.reported(wanted, (some) => ({ files: some.map((each) => each.path) }));
      return;
    }
    const small = wanted.filter(({ entry }) => entry.size <= maxFileBytes);
    this.todo.push(...small);
    this.end.tooLarge += wanted.length - small.length;
  }

  /** Reads some of the files; what does not fit into one answer is done later. */
  private async batch(): Promise<void> {
    const batch = this.nextBatch();
    const paths = batch.map(({ path }) => path);
    const { done, files, ...counts } = await this.files.searchText(paths, this.text, this.signal);
    this.todo.push(...batch.slice(done));
    this.end.searched += counts.searched;
    this.end.binary += counts.binary;
    this.end.tooLarge += counts.tooLarge;
    this.end.unread += counts.unread;
    let begun = performance.now();
    for (const { path, pieces } of files) {
      if (this.isOver()) {
        return;
      }
      const lines = this.matcher?.(pieces, this.limit - this.end.found + 1) ?? [];
      this.reported(lines, (some) => ({ lines: some.map((line) => ({ path, ...line })) }));
      if (performance.now() - begun > stepMs) {
        await nextTurn();
        begun = performance.now();
      }
    }
  }

  private nextBatch(): Found[] {
    let bytes = 0;
    const batch: Found[] = [];
    for (let next = this.todo.pop(); next !== undefined; next = this.todo.pop()) {
      batch.push(next);
      bytes += next.entry.size;
      if (batch.length === batchFiles || bytes >= batchBytes) {
        break;
      }
    }
    return batch;
  }

  private reported<T>(all: readonly T[], eventOf: (some: readonly T[]) => FindEvent): void {
    const some = all.slice(0, this.limit - this.end.found);
    this.end.hasMore ||= some.length < all.length;
    this.end.found += some.length;
    if (some.length > 0) {
      this.report(eventOf(some));
    }
  }
}

/** Refuses files that are read as a whole for every folder that is listed. Throws `not_supported`. */
export function refuseSlowLists(files: VolumeFiles): void {
  if (files.hasSlowLists === true) {
    throw tooSlowToSearch(files.volume);
  }
}
