/**
 * Takes changes that a comparison has found over to the other side. All of it is brought to a stage there first and held against
 * what was compared; only then anything is put into place, each by a rename, and only where nothing has changed since.
 */
import { asBerthError, BerthError, type ErrorCode } from '../../../../api/errors';
import type { TakenChange, TakeOverCreate, TakeOverResult } from '../../../../api/files/take-over';
import { normalizePath, parentPath, quote } from '../../../../api/rules/volume-path';
import type { OperationContext } from '../../operations/operation-context';
import type { VolumeFiles } from '../../../files/volume-files';
import { Outcome } from '../../transfers/result';
import { isAsCompared } from './facts';
import { Left } from './left';
import { Places } from './places';
import { planTakeOver, type TakenItem, type TakeOverPlan } from './plan';
import { Staging } from './staging';

const maxLeft = 1000;
const progressMs = 100;
/** That are tried for what can't be put back. */
const maxNames = 100;
/** What ends the whole of it: the rest would fail as well. */
const endsAll: ReadonlySet<ErrorCode> = new Set(['runtime_unavailable', 'cancelled', 'gone', 'read_only']);

export interface TakeOverEnds {
  from: VolumeFiles;
  to: VolumeFiles;
}

export class TakeOver {
  private plan: TakeOverPlan;
  private readonly result: TakeOverResult = { taken: 0, removed: 0, bytes: 0, left: [], leftInAll: 0 };
  private readonly outcome = new Outcome();
  private readonly places: Places;
  private readonly sources: Places;
  private reportedAt = 0;

  constructor(
    private readonly request: TakeOverCreate,
    private readonly ends: TakeOverEnds,
    private readonly context: OperationContext,
  ) {
    this.plan = planTakeOver(request.changes);
    this.places = new Places(ends.to, request.to.path);
    this.sources = new Places(ends.from, request.from.path);
  }

  /**
   * Cancelled while files are copied it has changed nothing; later, what was put into place stays. Throws `cancelled`,
   * or what ended it, with how far it had come.
   */
  async run(): Promise<TakeOverResult> {
    const { from, to } = this.ends;
    if (this.request.overwrite === true) {
      this.plan = planTakeOver(await this.joined(this.request.changes));
    }
    const staging = new Staging(
      { files: from, root: this.request.from.path },
      { files: to, stage: await to.stage() },
      this.outcome,
      this.context.signal,
    );
    try {
      const items = await this.context.step('copy', 'Copy', async () => {
        const { items: written, left } = await staging.write(await this.copy(staging));
        left.forEach((each) => this.leave(each.path, each));
        return written;
      });
      await this.context.step('place', 'Put in place', () => this.place(items, staging));
    } catch (error) {
      throw this.endedBy(error);
    } finally {
      await staging.close();
    }
    this.outcome.reportLosses((text) => this.context.warn(text));
    return this.result;
  }

  /** Where it is to overwrite, a folder that is there by now gets what is in the new one. */
  private async joined(changes: readonly TakenChange[]): Promise<TakenChange[]> {
    const missing = new Set<string>();
    const known = [...changes].sort(
      (one, other) => one.path.split('/').length - other.path.split('/').length,
    );
    for (const [at, { path, from, to }] of known.entries()) {
      if (from?.type !== 'directory' || to !== undefined) {
        continue;
      }
      const there = missing.has(parentPath(path)) ? undefined : await this.places.entryAt(path);
      if (there?.type === 'directory') {
        const { type, mode, uid, gid, mtimeMs } = there;
        known[at] = { path, from, to: { type, size: 0, mode, uid, gid, mtimeMs } };
      } else {
        missing.add(path);
      }
    }
    return known;
  }

  /** With what was done by then. */
  private endedBy(cause: unknown): BerthError {
    const { taken, removed } = this.result;
    const said =
      taken + removed === 0
        ? 'Nothing was changed.'
        : `By then ${taken} files and folders were taken over, ${removed} deleted.`;
    if (this.context.signal.aborted) {
      return new BerthError('cancelled', `Cancelled. ${said}`, { cause });
    }
    const error = asBerthError(cause);
    const message = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
    return new BerthError(error.code, `${message} ${said}`, { ...error.toBody(), cause });
  }

  /** What can't be put into its place is not copied. Answers what has arrived as it was compared. */
  private async copy(staging: Staging): Promise<TakenItem[]> {
    const wanted: TakenItem[] = [];
    let done = 0;
    for (const item of this.plan.items) {
      await this.each(item.expected.keys(), async () => {
        await this.check(item.path, item.to);
        await staging.bring(item);
        wanted.push(item);
      });
      this.report(++done, this.plan.items.length, item.path);
    }
    const { items, left } = await staging.settled(wanted);
    left.forEach((each) => this.leave(each.path, each));
    return items;
  }

  private async place(items: readonly TakenItem[], staging: Staging): Promise<void> {
    const { removals, folders } = this.plan;
    const { to } = this.ends;
    const total = removals.length + items.length + folders.length;
    let done = 0;
    for (const removal of removals) {
      await this.each([removal.path], async () => {
        await this.check(removal.path, removal.to);
        await this.refuseThere(removal.path);
        await to.remove(this.places.at(removal.path), { recursive: false });
        this.result.removed++;
      });
      this.report(++done, total, removal.path);
    }
    for (const item of items) {
      await this.each(item.expected.keys(), () => this.put(item, staging));
      this.report(++done, total, item.path);
    }
    for (const { path, from, to: was } of folders) {
      await this.each([path], async () => {
        await this.check(path, was);
        const others = { files: this.ends.from, at: this.sources.at(path) };
        await this.places.makeAlike(
          path,
          { from, was: this.request.overwrite === true ? undefined : was },
          others,
        );
        this.result.taken++;
      });
      this.report(++done, total, path);
    }
  }

  private async put(item: TakenItem, staging: Staging): Promise<void> {
    const { to } = this.ends;
    await this.places.ensure(parentPath(item.path), (folder) => staging.folder(folder));
    const there = await this.check(item.path, item.to);
    const target = this.places.at(item.path);
    const isFolder = item.from.type === 'directory';
    if (there !== undefined && (there === 'directory') !== isFolder) {
      await this.replace(target, staging.at(item), staging);
    } else {
      await to.rename(staging.at(item), target, { overwrite: there !== undefined && !isFolder });
    }
    this.places.forget(item.path);
    this.result.taken += item.expected.size;
    for (const { type, size } of item.expected.values()) {
      this.result.bytes += type === 'file' ? size : 0;
    }
  }

  /** A folder does not take the place of a file by a rename, nor the other way round: what is there is put back where the new one can't come. */
  private async replace(target: string, by: string, staging: Staging): Promise<void> {
    const { to } = this.ends;
    await refuseFull(to, target);
    const aside = await staging.setAside(target);
    try {
      await refuseFull(to, aside);
      await to.rename(by, target, { overwrite: false });
    } catch (error) {
      const back = await putBack(to, aside, target);
      throw back === target
        ? error
        : new Left(
            'failed',
            `something else came there meanwhile; what was there before is ${quote(back)} now`,
          );
    }
  }

  /** Answers what is there. Throws `Left` where that is not what was compared, or a link leads there. */
  private async check(path: string, was: TakenItem['to']) {
    await this.places.refuseLinks(path);
    const there = await this.places.entryAt(path);
    if (this.request.overwrite !== true && !isAsCompared(there, was)) {
      const now = there === undefined ? 'it is gone there' : was === undefined ? 'it is there by now' : '';
      throw new Left('target', now === '' ? 'it has changed there since it was compared' : now);
    }
    return there?.type;
  }

  /** What is deleted must still be missing where the changes come from: an undo deletes nothing that was there before. */
  private async refuseThere(path: string): Promise<void> {
    if ((await this.sources.ownEntryAt(path)) !== undefined) {
      throw new Left('source', 'it is there by now, where the changes come from');
    }
  }

  /** One of many: what is wrong with it stops none of the others. */
  private async each(paths: Iterable<string>, work: () => Promise<void>): Promise<void> {
    this.context.signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      if (this.context.signal.aborted) {
        throw error;
      }
      const left = asLeft(error);
      for (const path of paths) {
        this.leave(path, left);
      }
    }
  }

  private leave(path: string, { why, reason }: Pick<Left, 'why' | 'reason'>): void {
    this.result.leftInAll++;
    if (this.result.left.length < maxLeft) {
      this.result.left.push({ path, why, reason });
    }
  }

  private report(done: number, total: number, current: string): void {
    const now = performance.now();
    if (now - this.reportedAt >= progressMs) {
      this.reportedAt = now;
      this.context.progress({ unit: 'files', done, total, current });
    }
  }
}

/** To a name beside it where something else has come there meanwhile. Answers where it is. */
async function putBack(files: VolumeFiles, aside: string, target: string): Promise<string> {
  for (let number = 0; ; number++) {
    const back = number === 0 ? target : `${target}.before-${number}`;
    try {
      await files.rename(aside, back, { overwrite: false });
      return back;
    } catch (error) {
      if (asBerthError(error).code !== 'path_exists' || number >= maxNames) {
        throw error;
      }
    }
  }
}

/** Throws for a folder with something in it, which was not compared. */
async function refuseFull(files: VolumeFiles, path: string): Promise<void> {
  const isFolder = (await files.stat(path)).type === 'directory';
  if (isFolder && (await files.list(path, { limit: 1 })).total > 0) {
    throw new Left('failed', 'something else is in it');
  }
}

/** Throws what ends the whole of it. */
function asLeft(error: unknown): Left {
  if (error instanceof Left) {
    return error;
  }
  const { code, message } = asBerthError(error);
  if (endsAll.has(code)) {
    throw error;
  }
  return new Left('failed', code === 'directory_not_empty' ? 'something else is in it' : message);
}

/** Refuses what can never work. Throws `bad_request` for two sides that are one folder. */
export function checkTakeOver({ from, to }: TakeOverCreate): void {
  if (from.volume === to.volume && normalizePath(from.path) === normalizePath(to.path)) {
    throw new BerthError('bad_request', 'Both sides are the same folder.', {
      field: 'to',
      hint: 'Name the folder that the files are to come to.',
    });
  }
}
