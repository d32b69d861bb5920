/**
 * Finds free blocks and inodes. Blocks for content are reserved first, in memory only, and marked as used in the
 * transaction that gives them to a file: what is written to them before is nothing to anybody. Blocks that are freed
 * stay untouched until the transaction that freed them is committed.
 */
import { damaged, DiskError } from './disk-error';
import { isSet, setBits, type Bitmaps } from './structures/bitmaps';
import type { Groups } from './structures/groups';
import type { Superblock } from './structures/superblock';

export interface Run {
  start: number;
  count: number;
}

/** Worth leaving smaller holes out for. */
const goodRun = 256;

/** Of runs that were freed: the smallest are forgotten. */
const maxRemembered = 20_000;

/** Neighbours become one. */
function joined(runs: readonly Run[]): Run[] {
  const all: Run[] = [];
  for (const run of [...runs].sort((a, b) => a.start - b.start)) {
    const last = all.at(-1);
    if (last !== undefined && run.start <= last.start + last.count) {
      last.count = Math.max(last.count, run.start + run.count - last.start);
    } else {
      all.push({ ...run });
    }
  }
  return all;
}

export class Allocator {
  private readonly reserved = new Map<number, Uint8Array>();
  private readonly freed: Run[] = [];
  /** Was in use once since the image was opened. */
  private wasUsed: Run[] = [];
  /** Reserved, and in this transaction given to a file. */
  private readonly using: Run[] = [];
  private next = 0;
  /** By group: no inode before it is free. */
  private readonly firstFree = new Map<number, number>();

  constructor(
    private readonly superblock: Superblock,
    private readonly groups: Groups,
    private readonly bitmaps: Bitmaps,
  ) {}

  get freeBlocks(): number {
    return this.sum('freeBlocks');
  }

  get freeInodes(): number {
    return this.sum('freeInodes');
  }

  /** Up to `wanted` blocks in a row, reserved. */
  reserve(wanted: number): Run {
    const run = this.search(wanted);
    this.inGroups(run, (group, start, count) => setBits(this.maskOf(group), start, count, true));
    return run;
  }

  private search(wanted: number): Run {
    for (const least of wanted >= goodRun ? [goodRun, 1] : [wanted, 1]) {
      const first = Math.min(this.groups.count - 1, Math.floor(this.next / this.superblock.blocksPerGroup));
      for (let step = 0; step <= this.groups.count; step++) {
        const group = (first + step) % this.groups.count;
        const from = step === 0 ? this.next % this.superblock.blocksPerGroup : 0;
        const run = this.find(group, from, least, wanted);
        if (run !== undefined) {
          this.next = group * this.superblock.blocksPerGroup + run.start + run.count;
          return { start: this.groups.start(group) + run.start, count: run.count };
        }
      }
    }
    throw new DiskError('no_space');
  }

  /** Gives reserved blocks up. */
  release(run: Run): void {
    this.inGroups(run, (group, start, count) => setBits(this.maskOf(group), start, count, false));
  }

  /** Reserved blocks become used ones, or free ones when the transaction fails. */
  use(run: Run): void {
    this.inGroups(run, (group, start, count) => this.bitmaps.markBlocks(group, start, count, true));
    const last = this.using.at(-1);
    if (last !== undefined && last.start + last.count === run.start) {
      last.count += run.count;
    } else {
      this.using.push({ ...run });
    }
  }

  /** Blocks for metadata, used at once. */
  take(wanted: number): Run {
    const run = this.search(wanted);
    this.inGroups(run, (group, start, count) => this.bitmaps.markBlocks(group, start, count, true));
    return run;
  }

  free(run: Run): void {
    this.inGroups(run, (group, start, count) => {
      const bits = this.bitmaps.blocks(group);
      for (let index = start; index < start + count; index++) {
        if (!isSet(bits, index)) {
          throw damaged(`block ${this.groups.start(group) + index} is used and free at once`);
        }
      }
      this.bitmaps.markBlocks(group, start, count, false);
      setBits(this.maskOf(group), start, count, true);
    });
    this.freed.push(run);
  }

  /** Before a commit. */
  seal(): void {
    this.bitmaps.seal();
  }

  /** After a commit they are used, after a rollback free: reserved they are in neither case. */
  settle(): void {
    this.bitmaps.settle();
    this.firstFree.clear();
    for (const run of this.using.splice(0)) {
      this.release(run);
    }
  }

  /** What was freed can be used again: not before its transaction is over, and nobody still reads it. */
  recycle(): void {
    for (const run of this.freed.splice(0)) {
      this.remember(run);
      this.inGroups(run, (group, start, count) => setBits(this.maskOf(group), start, count, false));
    }
  }

  /** Runs of at least so many blocks that were in use when the image was opened, or since, and are free now. */
  released(minCount: number): Run[] {
    const runs: Run[] = [];
    for (const run of joined(this.wasUsed)) {
      this.inGroups(run, (group, start, count) => {
        runs.push(...this.freeRuns(group, start, count).filter((free) => free.count >= minCount));
      });
    }
    return runs;
  }

  private freeRuns(group: number, start: number, count: number): Run[] {
    const bits = this.bitmaps.blocks(group);
    const mask = this.reserved.get(group);
    const first = this.groups.start(group);
    const runs: Run[] = [];
    for (let index = start; index < start + count; index++) {
      const last = runs.at(-1);
      if (isSet(bits, index) || (mask !== undefined && isSet(mask, index))) {
        continue;
      }
      if (last !== undefined && last.start + last.count === first + index) {
        last.count++;
      } else {
        runs.push({ start: first + index, count: 1 });
      }
    }
    return runs;
  }

  private remember(run: Run): void {
    this.wasUsed.push({ ...run });
    if (this.wasUsed.length > maxRemembered) {
      this.wasUsed = joined(this.wasUsed)
        .sort((a, b) => b.count - a.count)
        .slice(0, maxRemembered / 2);
    }
  }

  /** A free inode, by preference near a group. Throws `no_space` when all are taken. */
  takeInode(near: number, isDirectory: boolean): number {
    for (let step = 0; step < this.groups.count; step++) {
      const group = (near + step) % this.groups.count;
      const index = this.groups.get(group, 'freeInodes') > 0 ? this.freeInodeIn(group) : -1;
      if (index >= 0) {
        this.bitmaps.markInode(group, index, true, isDirectory);
        this.firstFree.set(group, index + 1);
        return group * this.superblock.inodesPerGroup + index + 1;
      }
    }
    throw new DiskError('no_space', 'the disk has no room for more files, whatever their size');
  }

  freeInode(inode: number, isDirectory: boolean): void {
    const group = Math.floor((inode - 1) / this.superblock.inodesPerGroup);
    this.firstFree.delete(group);
    this.bitmaps.markInode(group, (inode - 1) % this.superblock.inodesPerGroup, false, isDirectory);
  }

  private freeInodeIn(group: number): number {
    const bits = this.bitmaps.inodes(group);
    const first = this.firstFree.get(group) ?? (group === 0 ? this.superblock.firstInode - 1 : 0);
    const count = this.superblock.inodesPerGroup;
    for (let index = first; index < count; index++) {
      if ((index & 7) === 0 && bits[index >> 3] === 0xff) {
        index += 7;
      } else if (!isSet(bits, index)) {
        return index;
      }
    }
    return -1;
  }

  private find(group: number, from: number, least: number, wanted: number): Run | undefined {
    if (this.groups.get(group, 'freeBlocks') === 0) {
      return undefined;
    }
    const used = this.bitmaps.blocks(group);
    const mask = this.reserved.get(group);
    const size = this.groups.size(group);
    let start = -1;
    for (let index = from; index < size; index++) {
      const byte = (used[index >> 3] ?? 0) | (mask?.[index >> 3] ?? 0);
      if ((byte & (1 << (index & 7))) !== 0) {
        if (start >= 0 && index - start >= least) {
          return { start, count: index - start };
        }
        start = -1;
        index += byte === 0xff && (index & 7) === 0 ? 7 : 0;
      } else {
        start = start < 0 ? index : start;
        if (index - start + 1 === wanted) {
          return { start, count: wanted };
        }
      }
    }
    return start >= 0 && size - start >= least ? { start, count: size - start } : undefined;
  }

  private maskOf(group: number): Uint8Array {
    let mask = this.reserved.get(group);
    if (mask === undefined) {
      mask = new Uint8Array(Math.ceil(this.superblock.blocksPerGroup / 8));
      this.reserved.set(group, mask);
    }
    return mask;
  }

  private inGroups(run: Run, visit: (group: number, start: number, count: number) => void): void {
    const { firstDataBlock, blocksPerGroup } = this.superblock;
    for (let at = run.start; at < run.start + run.count;) {
      const group = Math.floor((at - firstDataBlock) / blocksPerGroup);
      const start = at - this.groups.start(group);
      const count = Math.min(run.start + run.count - at, this.groups.size(group) - start);
      if (at < firstDataBlock || count <= 0) {
        throw damaged(`block ${at} is not on the disk`);
      }
      visit(group, start, count);
      at += count;
    }
  }

  private sum(field: 'freeBlocks' | 'freeInodes'): number {
    let sum = 0;
    for (let group = 0; group < this.groups.count; group++) {
      sum += this.groups.get(group, field);
    }
    return sum;
  }
}
