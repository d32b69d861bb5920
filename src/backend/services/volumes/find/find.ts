/**
 * Finds files, or lines in files, below a folder of a volume: through its files' interface, so that it is the same for what
 * runs and what does not, in containers and in disks. Links are not followed.
 */
import { BerthError, asBerthError } from '../../../../api/errors';
import type { FindEnd, FindEvent, FindQuery } from '../../../../api/files/find';
import type { FileEntry } from '../../../../api/files/schemas';
import { joinPath, normalizePath } from '../../../../api/rules/volume-path';
import type { VolumeFiles } from '../../../files/volume-files';
import { selectionOf, type Selection } from './globs';
import { lineMatcher, type LineMatcher } from './line-matcher';

/** Folders and files that are asked for at once: each answer is a round trip. */
const atOnce = 12;
const maxFileBytes = 16 * 1024 * 1024;
const defaultLimit = 10_000;
/** Text has no NUL; where one is, it is near the beginning, as git has it. */
const lookedForNul = 8_000;

interface Found {
  path: string;
  entry: FileEntry;
}

/** Made before anything is sent: what is wrong with the question is an ordinary answer. Throws `bad_request`. */
export class Search {
  private readonly matcher: LineMatcher | undefined;
  private readonly include: Selection | undefined;
  private readonly exclude: Selection | undefined;
  private readonly root: string;
  private readonly limit: number;
  private readonly todo: Found[] = [];
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
    private readonly signal: AbortSignal,
  ) {
    this.matcher = query.text === undefined ? undefined : lineMatcher(query);
    this.include = selectionOf('include', query.include);
    this.exclude = selectionOf('exclude', query.exclude);
    this.root = normalizePath(query.path ?? '/');
    this.limit = query.limit ?? defaultLimit;
  }

  /** Resolves when all is reported. Rejects with what is wrong with the folder itself, and when it is cancelled. */
  async run(): Promise<void> {
    await this.begin();
    await new Promise<void>((resolve, reject) => {
      let running = 0;
      const next = (): void => {
        while (running < atOnce && !this.isOver()) {
          const item = this.todo.pop();
          if (item === undefined) {
            break;
          }
          running++;
          this.look(item).then(() => {
            running--;
            next();
          }, reject);
        }
        if (running === 0) {
          resolve();
        }
      };
      next();
    });
    this.signal.throwIfAborted();
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

  private isOver(): boolean {
    return this.end.hasMore || this.signal.aborted;
  }

  private async look({ path, entry }: Found): Promise<void> {
    try {
      await (entry.type === 'directory' ? this.folder(path) : this.file(path, entry.size));
    } catch (error) {
      const { code } = asBerthError(error);
      if (code === 'bad_request' || this.signal.aborted) {
        throw error;
      }
      // Gone since its folder was read.
      this.end.unread += code === 'path_not_found' ? 0 : 1;
    }
  }

  private async folder(path: string): Promise<void> {
    const { entries } = await this.files.list(path);
    const below = entries.map((entry) => ({ entry, path: joinPath(path, entry.name) }));
    const relative = (found: Found): string => found.path.slice(this.root === '/' ? 1 : this.root.length + 1);
    const excluded = this.exclude?.(below.map(relative));
    const left = excluded === undefined ? below : below.filter((each) => !excluded.has(relative(each)));
    const files = left.filter(({ entry }) => entry.type === 'file');
    const included = this.include?.(files.map(relative));
    const wanted = included === undefined ? files : files.filter((each) => included.has(relative(each)));
    this.take(wanted);
    this.todo.push(...left.filter(({ entry }) => entry.type === 'directory'));
  }

  private take(wanted: readonly Found[]): void {
    if (this.matcher === undefined) {
      this.end.searched += wanted.length;
      this.reported(wanted, (some) => ({ files: some.map((each) => each.path) }));
    } else {
      this.todo.push(...wanted);
    }
  }

  private async file(path: string, size: number): Promise<void> {
    if (size > maxFileBytes) {
      this.end.tooLarge++;
      return;
    }
    const content = await this.read(path);
    this.end.searched++;
    if (content.subarray(0, lookedForNul).includes(0)) {
      this.end.binary++;
      return;
    }
    if (this.isOver()) {
      return;
    }
    const lines = this.matcher?.(content.toString('utf8'), this.limit - this.end.found + 1) ?? [];
    this.reported(lines, (some) => ({ lines: some.map((line) => ({ path, ...line })) }));
  }

  private async read(path: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const stream: AsyncIterable<Buffer> = await this.files.read(path, { length: maxFileBytes }, this.signal);
    for await (const chunk of stream) {
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
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
    throw new BerthError(
      'not_supported',
      `${files.volume} can't be searched while its workspace does not run.`,
      {
        hint: 'Start the workspace, or search one of its volumes.',
      },
    );
  }
}
