/**
 * Compares two trees, whoever has them: their inventories are gone through beside each other, and of what is not surely the
 * same the details are asked for, many at a time. Links are not followed, times do not count, nor which names one file has.
 */
import type { Change, CompareEnd, CompareEvent, CompareFailure } from '../../../../api/files/compare';
import { asBerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import { joinPath } from '../../../../api/rules/volume-path';
import { workspaceOfRoot } from '../../../../api/rules/root-files';
import type { FoundDetails, Inventory, InventoryFolder, WantedDetails } from '../../../files/inventory';
import type { VolumeFiles } from '../../../files/volume-files';
import { IgnoredNames } from './ignored';
import {
  changeOf,
  isFolder,
  isOneType,
  isUntouched,
  lone,
  needsContent,
  otherType,
  type Pair,
} from './changes';
import { Trees, type TreesListener } from './trees';

/** Files whose details are asked for at once, and how many times that is done at once. */
const batchFiles = 512;
const batchBytes = 32 * mebibyte;
const batchesAtOnce = 3;
/** Changes of one event, and characters of their paths: who follows takes no event of any length. */
const eventChanges = 256;
const eventText = mebibyte;
/** In the root of a whole system: what its kernel makes up. */
const madeUp: readonly string[] = ['proc', 'sys', 'dev'];

export interface Side {
  files: VolumeFiles;
  path: string;
}

export interface Compared {
  before: Side;
  after: Side;
  /** Both are, or were, the same volume: what has one mark is the same file. */
  isOneVolume: boolean;
  /** Names that .gitignore files of either side leave out don't count. */
  gitignore?: boolean;
}

/** Resolves when it may be told more. */
export type ReportCompared = (event: CompareEvent) => Promise<void>;

export class Comparison {
  private readonly end: CompareEnd = {
    ...{ added: 0, removed: 0, changed: 0, metadata: 0, unread: 0, compared: 0 },
    ...{ bytesBefore: 0, bytesAfter: 0 },
  };
  private readonly changes: Change[] = [];
  private readonly failed: CompareFailure[] = [];
  private pairs: Pair[] = [];
  private pairBytes = 0;
  /** Of links without a pair, whose targets are to be read. */
  private links: Change[] = [];
  private readonly running = new Set<Promise<void>>();
  /** Without links. */
  private paths = { before: '/', after: '/' };
  private readonly over = new AbortController();
  /** The first thing that went wrong with a batch, while the walk waited for something else. */
  private failure: { reason: unknown } | undefined;
  private readonly signal: AbortSignal;

  constructor(
    private readonly compared: Compared,
    private readonly report: ReportCompared,
    private readonly cancelled: AbortSignal,
  ) {
    this.signal = AbortSignal.any([cancelled, this.over.signal]);
  }

  /** Resolves when all is reported. Rejects with what is wrong with the two paths themselves, and when it is cancelled. */
  async run(): Promise<void> {
    const { before, after } = this.compared;
    const opened = await Promise.allSettled([this.open(before), this.open(after)]);
    const inventories = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    try {
      const refused = opened.find((each) => each.status === 'rejected');
      if (refused !== undefined) {
        throw refused.reason;
      }
      const [was, is] = inventories;
      if (was !== undefined && is !== undefined) {
        this.paths = { before: was.path, after: is.path };
        await this.walk(was, is);
      }
    } catch (error) {
      // What ended because of it tells less.
      throw this.failure === undefined ? error : this.failure.reason;
    } finally {
      // What is still under way ends where it is.
      this.over.abort();
      await Promise.all(inventories.map((inventory) => inventory.close()));
    }
    this.cancelled.throwIfAborted();
    await this.report({ end: this.end });
  }

  private open({ files, path }: Side): Promise<Inventory> {
    const isSystem = path === '/' && workspaceOfRoot(files.volume) !== undefined;
    return files.inventory(path, isSystem ? { without: madeUp } : {}, this.signal);
  }

  private async walk(was: Inventory, is: Inventory): Promise<void> {
    const { isIgnored, enter } = this.ignoring();
    const trees = new Trees(was, is, {
      ...(enter && { enter }),
      pair: (pair) => !isIgnored(pair.path, isFolder(pair.before)) && this.add(pair),
      change: (change) =>
        !isIgnored(change.path, (change.after ?? change.before)?.type === 'directory') &&
        this.addLone(change),
      failed: (failure) => !isIgnored(failure.path, true) && this.note(undefined, failure),
    });
    const steps = trees.walk();
    try {
      while ((await steps.next()).done !== true) {
        await this.flush(false);
      }
    } finally {
      await steps.return();
    }
    await this.flush(true);
    await Promise.all(this.running);
    this.signal.throwIfAborted();
    await this.send(true);
  }

  /** What either side leaves out counts for neither, or a new line of a .gitignore would look like many deletes. */
  private ignoring(): {
    isIgnored: (path: string, isFolder: boolean) => boolean;
    enter?: TreesListener['enter'];
  } {
    if (this.compared.gitignore !== true) {
      return { isIgnored: () => false };
    }
    const namesOf = (side: 'before' | 'after'): IgnoredNames => {
      const { files } = this.compared[side];
      return new IgnoredNames((path) => files.read(path, {}, this.signal), this.paths[side]);
    };
    const [was, is] = [namesOf('before'), namesOf('after')];
    const look = async (
      names: IgnoredNames,
      side: 'before' | 'after',
      folder: InventoryFolder | undefined,
    ): Promise<void> => {
      if (folder === undefined) {
        return;
      }
      try {
        await names.enter(folder);
      } catch (error) {
        this.signal.throwIfAborted();
        const path = `/${[...folder.parts, '.gitignore'].join('/')}`;
        this.note(undefined, { path, side, reason: asBerthError(error).message });
      }
    };
    return {
      isIgnored: (path, isFolderThere) => {
        const ignored = was.isIgnored(path, isFolderThere) || is.isIgnored(path, isFolderThere);
        this.end.ignored = (this.end.ignored ?? 0) + (ignored ? 1 : 0);
        return ignored;
      },
      enter: async (before, after) => {
        await Promise.all([look(was, 'before', before), look(is, 'after', after)]);
      },
    };
  }

  private add(pair: Pair): void {
    this.end.compared++;
    if (!isOneType(pair)) {
      this.addLone(otherType(pair));
    } else if (!this.compared.isOneVolume || !isUntouched(pair)) {
      this.pairs.push(pair);
      this.pairBytes += needsContent(pair) ? pair.before.size : 0;
    }
  }

  private addLone(change: Change): void {
    if (change.before?.type === 'symlink' || change.after?.type === 'symlink') {
      this.links.push(change);
    } else {
      this.note(change);
    }
  }

  private async flush(all: boolean): Promise<void> {
    while (
      this.pairs.length >= batchFiles ||
      this.pairBytes >= batchBytes ||
      (all && this.pairs.length > 0)
    ) {
      await this.begin(() => this.look(this.batch()));
    }
    while (this.links.length >= batchFiles || (all && this.links.length > 0)) {
      await this.begin(() => this.readLinks(this.links.splice(0, batchFiles)));
    }
    await this.send(false);
  }

  private async begin(look: () => Promise<void>): Promise<void> {
    if (this.running.size >= batchesAtOnce) {
      await Promise.race(this.running);
    }
    this.signal.throwIfAborted();
    const work = look()
      .catch((reason: unknown) => this.fail(reason))
      .finally(() => this.running.delete(work));
    this.running.add(work);
  }

  /** The walk ends at its next step: what is not judged must not count as the same. */
  private fail(reason: unknown): void {
    this.failure ??= { reason };
    this.over.abort();
  }

  private batch(): Pair[] {
    let bytes = 0;
    let count = 0;
    while (count < this.pairs.length && count < batchFiles && bytes < batchBytes) {
      const pair = this.pairs[count++];
      bytes += pair !== undefined && needsContent(pair) ? pair.before.size : 0;
    }
    const batch = this.pairs.slice(0, count);
    this.pairs = this.pairs.slice(count);
    this.pairBytes -= bytes;
    return batch;
  }

  private async look(batch: readonly Pair[]): Promise<void> {
    const ask = (side: 'before' | 'after'): Promise<FoundDetails[]> =>
      allDetails(
        this.compared[side],
        batch.map((pair) => ({
          path: joinPath(this.paths[side], pair.path.slice(1)),
          content: needsContent(pair) && pair[side].digest === undefined,
        })),
        this.signal,
      );
    const [was, is] = await Promise.all([ask('before'), ask('after')]);
    batch.forEach((pair, at) => this.judge(pair, was[at] ?? 'gone', is[at] ?? 'gone'));
    await this.send(false);
  }

  private async readLinks(changes: readonly Change[]): Promise<void> {
    for (const side of ['before', 'after'] as const) {
      const links = changes.filter((change) => change[side]?.type === 'symlink');
      const wanted = links.map(({ path }) => ({
        path: joinPath(this.paths[side], path.slice(1)),
        content: false,
      }));
      const found = await allDetails(this.compared[side], wanted, this.signal);
      links.forEach(({ [side]: facts }, at) => {
        const each = found[at] ?? 'gone';
        if (facts !== undefined && each !== 'gone' && !('reason' in each) && each.target !== undefined) {
          facts.target = each.target;
        }
      });
    }
    changes.forEach((change) => this.note(change));
    await this.send(false);
  }

  private judge(pair: Pair, was: FoundDetails, is: FoundDetails): void {
    const { path } = pair;
    if (was !== 'gone' && 'reason' in was) {
      this.note(undefined, { path, side: 'before', reason: was.reason });
    } else if (is !== 'gone' && 'reason' in is) {
      this.note(undefined, { path, side: 'after', reason: is.reason });
    } else if (was === 'gone' || is === 'gone') {
      this.noteGone(pair, was === 'gone', is === 'gone');
    } else {
      this.note(changeOf(pair, was, is));
    }
  }

  /** Since the walk. */
  private noteGone({ path, before, after }: Pair, wasGone: boolean, isGone: boolean): void {
    if (!wasGone) {
      this.note(lone('removed', path, before));
    } else if (!isGone) {
      this.note(lone('added', path, after));
    }
  }

  private note(change: Change | undefined, failure?: CompareFailure): void {
    if (failure !== undefined) {
      this.end.unread++;
      this.failed.push(failure);
    }
    if (change === undefined) {
      return;
    }
    this.end[change.kind === 'type' ? 'changed' : change.kind]++;
    if (change.kind !== 'metadata') {
      this.end.bytesBefore += change.before?.size ?? 0;
      this.end.bytesAfter += change.after?.size ?? 0;
    }
    this.changes.push(change);
  }

  private async send(all: boolean): Promise<void> {
    while (this.failed.length > 0) {
      await this.report({ failed: this.failed.splice(0, countOfEvent(this.failed)) });
    }
    while (this.changes.length >= eventChanges || (all && this.changes.length > 0)) {
      await this.report({ changes: this.changes.splice(0, countOfEvent(this.changes)) });
    }
  }
}

function countOfEvent(all: readonly { path: string }[]): number {
  let [count, text] = [0, 0];
  while (count < all.length && count < eventChanges && text < eventText) {
    text += all[count++]?.path.length ?? 0;
  }
  return count;
}

/** Of all files: an agent answers as many as it gets done in a while. */
async function allDetails(
  { files }: Side,
  wanted: readonly WantedDetails[],
  signal: AbortSignal,
): Promise<FoundDetails[]> {
  const found: FoundDetails[] = [];
  while (found.length < wanted.length) {
    found.push(...(await files.details(wanted.slice(found.length), signal)));
  }
  return found;
}
