/** Two inventories, gone through beside each other: both come in one order, so that neither has to be kept in memory. */
import type { Change, CompareFailure } from '../../../../api/files/compare';
import type { Inventory, InventoryFolder, InventoryRow } from '../../../files/inventory';
import { compareNames, compareParts } from '../../../files/name-order';
import { isFolder, lone, otherType, type Pair } from './changes';

type SideName = 'before' | 'after';

export interface TreesListener {
  /** Before anything of a folder is told. */
  enter?(before: InventoryFolder | undefined, after: InventoryFolder | undefined): Promise<void>;
  pair(pair: Pair): void;
  change(change: Change): void;
  failed(failure: CompareFailure): void;
}

/** What is on one side only of a folder that both have: it may be a folder there, which comes later. */
interface Pending {
  parts: readonly string[];
  removed: Map<string, InventoryRow>;
  added: Map<string, InventoryRow>;
}

export class Trees {
  private readonly pending: Pending[] = [];
  /** Folders that could not be read: what the other side has there is not known to be more. */
  private readonly unread: Record<SideName, Set<string>> = { before: new Set(), after: new Set() };

  constructor(
    private readonly was: Inventory,
    private readonly is: Inventory,
    private readonly listener: TreesListener,
  ) {}

  /** A step is a folder. */
  async *walk(): AsyncGenerator<undefined, void> {
    const before = this.was.folders((failure) => this.failed('before', failure));
    const after = this.is.folders((failure) => this.failed('after', failure));
    const isBoth = isFolder(this.was.root) && isFolder(this.is.root);
    try {
      if (!isBoth) {
        this.listener.pair({ path: '/', before: this.was.root, after: this.is.root });
      }
      let [one, other] = await Promise.all([next(before), next(after)]);
      while (one !== undefined || other !== undefined) {
        const order = orderOf(one, other);
        const parts = (order <= 0 ? one : other)?.parts ?? [];
        this.leave(parts);
        const isRootOfOne = !isBoth && parts.length === 0;
        await this.listener.enter?.(order <= 0 ? one : undefined, order >= 0 ? other : undefined);
        if (one !== undefined && other !== undefined && order === 0) {
          this.both(one, other);
        } else if (one !== undefined && order < 0) {
          this.lone('removed', one, isRootOfOne);
        } else if (other !== undefined) {
          this.lone('added', other, isRootOfOne);
        }
        [one, other] = await Promise.all([order <= 0 ? next(before) : one, order >= 0 ? next(after) : other]);
        yield;
      }
      this.leave(undefined);
    } finally {
      await Promise.all([before.return(), after.return()]);
    }
  }

  private failed(side: SideName, { path, reason }: { path: string; reason: string }): void {
    this.unread[side].add(path);
    this.listener.failed({ path, side, reason });
  }

  private both(one: InventoryFolder, other: InventoryFolder): void {
    const { parts } = one;
    this.listener.pair({ path: pathOf(parts), before: one.own, after: other.own });
    const pending: Pending = { parts, removed: new Map(), added: new Map() };
    let [at, otherAt] = [0, 0];
    for (;;) {
      const [before, after] = [one.rows[at], other.rows[otherAt]];
      if (before === undefined && after === undefined) {
        break;
      }
      const order = namesOrder(before, after);
      if (before !== undefined && after !== undefined && order === 0) {
        this.listener.pair({ path: pathOf([...parts, before.name]), before, after });
      } else if (before !== undefined && order < 0) {
        pending.removed.set(before.name, before);
      } else if (after !== undefined) {
        pending.added.set(after.name, after);
      }
      at += order <= 0 ? 1 : 0;
      otherAt += order >= 0 ? 1 : 0;
    }
    this.pending.push(pending);
  }

  private lone(kind: 'added' | 'removed', { parts, own, rows }: InventoryFolder, isKnown: boolean): void {
    if (this.isUnread(kind === 'added' ? 'before' : 'after', parts)) {
      return;
    }
    if (!isKnown) {
      this.listener.change(this.folderAs(kind, parts, own));
    }
    for (const row of rows) {
      this.listener.change(lone(kind, pathOf([...parts, row.name]), row));
    }
  }

  /** Where the other side has a file of that name it is of another type. */
  private folderAs(kind: 'added' | 'removed', parts: readonly string[], own: InventoryRow): Change {
    const path = pathOf(parts);
    const last = this.pending.at(-1);
    const isDirect = last?.parts.length === parts.length - 1;
    const others = kind === 'added' ? last?.removed : last?.added;
    const other = isDirect ? others?.get(parts.at(-1) ?? '') : undefined;
    if (other === undefined) {
      return lone(kind, path, own);
    }
    others?.delete(parts.at(-1) ?? '');
    return otherType(
      kind === 'added' ? { path, before: other, after: own } : { path, before: own, after: other },
    );
  }

  private isUnread(side: SideName, parts: readonly string[]): boolean {
    const unread = this.unread[side];
    return unread.has('/') || parts.some((_, at) => unread.has(pathOf(parts.slice(0, at + 1))));
  }

  /** Folders that `parts` is not in are over; `undefined`: all are. */
  private leave(parts: readonly string[] | undefined): void {
    for (let last = this.pending.at(-1); last !== undefined; last = this.pending.at(-1)) {
      if (parts !== undefined && isBelow(parts, last.parts)) {
        return;
      }
      this.pending.pop();
      const folder = last.parts;
      last.removed.forEach((row) =>
        this.listener.change(lone('removed', pathOf([...folder, row.name]), row)),
      );
      last.added.forEach((row) => this.listener.change(lone('added', pathOf([...folder, row.name]), row)));
    }
  }
}

async function next(folders: AsyncGenerator<InventoryFolder, void>): Promise<InventoryFolder | undefined> {
  const { value } = await folders.next();
  return value ?? undefined;
}

function orderOf(one: InventoryFolder | undefined, other: InventoryFolder | undefined): number {
  if (one === undefined || other === undefined) {
    return one === undefined ? 1 : -1;
  }
  return compareParts(one.parts, other.parts);
}

function namesOrder(one: InventoryRow | undefined, other: InventoryRow | undefined): number {
  if (one === undefined || other === undefined) {
    return one === undefined ? 1 : -1;
  }
  return compareNames(one.name, other.name);
}

function isBelow(parts: readonly string[], folder: readonly string[]): boolean {
  return parts.length > folder.length && folder.every((name, at) => parts[at] === name);
}

function pathOf(parts: readonly string[]): string {
  return `/${parts.join('/')}`;
}
