/** Directories: names and the inodes they mean, in order of blocks, and indexed once they have more than one. */
import { encodeName } from '../machine/file-names';
import { damaged, DiskError } from './disk-error';
import type { BlockDevice } from './block-device';
import {
  changeDirent,
  direntSize,
  insertDirent,
  isSealed,
  packDirents,
  readDirents,
  removeDirent,
  sealDirents,
  usableSize,
} from './structures/dirents';
import { hashName } from './structures/hash';
import { indexBlocks, isIndexNode, isIndexSealed, leafFor, sealIndex, writeIndex } from './structures/htree';
import { inodeFlag, type Inode } from './structures/inode';
import type { Extent } from './structures/mapping';
import { compat, incompat, type Superblock } from './structures/superblock';

export interface Name {
  inode: number;
  /** 0 unknown, 1 file, 2 directory, 7 symlink, others. */
  type: number;
  /** The block on the disk that holds it. */
  block: number;
}

/** What directories need of the file system. */
export interface DirectoryStore {
  extents(inode: Inode): Extent[];
  /** Gives a directory so many blocks, all of them writable and of no particular content. */
  resize(inode: Inode, blocks: number): void;
}

/** A leaf is filled so far when it is made: there is room for more until the next time. */
const fillOfNew = 0.75;
const cachedNames = 400_000;
const maxPlaces = 1000;

export class Directories {
  private readonly cache = new Map<number, Map<string, Name>>();
  private readonly places = new Map<number, number[]>();
  private order: { of: number; names: readonly string[] } | undefined;
  private cachedCount = 0;
  private readonly usable: number;

  constructor(
    private readonly device: BlockDevice,
    private readonly superblock: Superblock,
    private readonly store: DirectoryStore,
  ) {
    this.usable = usableSize(device.blockSize, superblock.hasChecksums);
  }

  /** Without `.` and `..`. The map is live. */
  names(inode: Inode): ReadonlyMap<string, Name> {
    return this.load(inode);
  }

  /** The names of a directory that was read before and has been one since; the map is live. */
  known(directory: number): ReadonlyMap<string, Name> | undefined {
    return this.cache.get(directory);
  }

  /** In order; kept for the next page. */
  sorted(inode: Inode): readonly string[] {
    const names = this.load(inode);
    if (this.order?.of !== inode.number) {
      this.order = { of: inode.number, names: [...names.keys()].sort() };
    }
    return this.order.names;
  }

  /** The number of the folder that this folder is in. Throws `internal` where it has no `.` and `..`. */
  parent(inode: Inode): number {
    const [first] = this.blocks(inode);
    const dots = first === undefined ? [] : readDirents(this.checked(inode, first, 0));
    if (dots[0]?.name !== '.' || dots[1]?.name !== '..') {
      throw damaged(`the folder of inode ${inode.number} has no "." and ".."`);
    }
    return dots[1].inode;
  }

  /** Forgets what may no longer be so. */
  forget(inode?: number): void {
    this.order = undefined;
    if (inode === undefined) {
      this.cache.clear();
      this.places.clear();
      this.cachedCount = 0;
    } else {
      this.cachedCount -= this.cache.get(inode)?.size ?? 0;
      this.cache.delete(inode);
      this.places.delete(inode);
    }
  }

  /** The first block of a new directory, which is given it here. */
  begin(inode: Inode, parent: number): void {
    this.resize(inode, 1);
    const [block] = this.blocks(inode);
    if (block !== undefined) {
      this.writeDots(this.device.edit(block), inode.number, parent, this.usable);
      this.seal(inode, block, 0);
    }
  }

  setParent(inode: Inode, parent: number): void {
    const [block] = this.blocks(inode);
    if (block === undefined || this.parent(inode) === parent) {
      return;
    }
    this.device.edit(block).writeUInt32LE(parent, 12);
    this.seal(inode, block, 0);
  }

  add(inode: Inode, name: string, target: number, type: number): void {
    const names = this.load(inode);
    const bytes = encodeName(name);
    const kind = this.storesTypes ? type : 0;
    const block = this.insert(inode, bytes, target, kind);
    if (block !== undefined) {
      names.set(name, { inode: target, type, block });
      this.order = undefined;
      this.cachedCount++;
      return;
    }
    const all = [...names].map(
      ([each, { inode: number, type: old }]) => [encodeName(each), number, old] as const,
    );
    this.forget(inode.number);
    this.rebuild(inode, this.parent(inode), [...all, [bytes, target, kind]]);
  }

  /** Gives a directory all its names at once, in place of those that it has. The inode is not written. */
  fill(inode: Inode, parent: number, entries: readonly (readonly [Buffer, number, number])[]): void {
    this.forget(inode.number);
    this.rebuild(inode, parent, entries);
  }

  /** True when entries tell what kind of file they name. */
  get storesTypes(): boolean {
    return this.superblock.has('incompat', incompat.filetype);
  }

  /** Takes a name out of a folder. Throws `path_not_found`. */
  remove(inode: Inode, name: string): void {
    const names = this.load(inode);
    const found = names.get(name);
    if (found === undefined || !removeDirent(this.device.edit(found.block), this.usable, encodeName(name))) {
      throw new DiskError('path_not_found');
    }
    names.delete(name);
    this.order = undefined;
    this.cachedCount--;
    this.sealLeaf(inode, found.block);
  }

  /** Makes a name stand for another inode. Throws `path_not_found`. */
  change(inode: Inode, name: string, target: number, type: number): void {
    const found = this.load(inode).get(name);
    const kind = this.storesTypes ? type : 0;
    if (
      found === undefined ||
      !changeDirent(this.device.edit(found.block), this.usable, encodeName(name), target, kind)
    ) {
      throw new DiskError('path_not_found');
    }
    found.inode = target;
    found.type = type;
    this.sealLeaf(inode, found.block);
  }

  private resize(inode: Inode, blocks: number): void {
    this.places.delete(inode.number);
    this.store.resize(inode, blocks);
  }

  private load(inode: Inode): Map<string, Name> {
    const known = this.cache.get(inode.number);
    if (known !== undefined) {
      return known;
    }
    const names = new Map<string, Name>();
    for (const [index, block] of this.blocks(inode).entries()) {
      for (const entry of readDirents(this.checked(inode, block, index))) {
        const isDots = index === 0 && (entry.name === '.' || entry.name === '..');
        if (isDots) {
          continue;
        }
        if (entry.name === '.' || entry.name === '..' || entry.inode > this.superblock.inodes) {
          throw damaged(`the folder of inode ${inode.number} holds an impossible entry`);
        }
        names.set(entry.name, { inode: entry.inode, type: entry.type, block });
      }
    }
    if (this.cachedCount + names.size > cachedNames) {
      this.forget();
    }
    this.cache.set(inode.number, names);
    this.cachedCount += names.size;
    return names;
  }

  /** The blocks of a directory, in order; none is left out and none is there twice. */
  private blocks(inode: Inode): number[] {
    const known = this.places.get(inode.number) ?? this.findBlocks(inode);
    if (this.places.size > maxPlaces) {
      this.places.clear();
    }
    this.places.set(inode.number, known);
    return known;
  }

  private findBlocks(inode: Inode): number[] {
    const count = inode.size / this.device.blockSize;
    const blocks: number[] = [];
    for (const extent of this.store.extents(inode)) {
      if (extent.logical !== blocks.length || blocks.length + extent.count > this.device.blocks) {
        break;
      }
      for (let index = 0; index < extent.count && blocks.length < count; index++) {
        blocks.push(extent.physical + index);
      }
    }
    if (blocks.length !== count || count === 0 || new Set(blocks).size !== count) {
      throw damaged(`the folder of inode ${inode.number} is not complete`);
    }
    return blocks;
  }

  private checked(inode: Inode, block: number, index: number): Buffer {
    this.device.finish(block);
    const content = this.device.read(block);
    if (this.superblock.hasChecksums) {
      const isRoot = inode.has(inodeFlag.indexed) && index === 0;
      const isIndex = isRoot || (inode.has(inodeFlag.indexed) && isIndexNode(content));
      const isRight = isIndex ? isIndexSealed(content, inode.seed, isRoot) : isSealed(content, inode.seed);
      if (!isRight) {
        throw damaged(`the checksum of the folder of inode ${inode.number} is wrong`);
      }
    }
    return content;
  }

  private seal(inode: Inode, block: number, index: number): void {
    if (inode.has(inodeFlag.indexed) && index === 0) {
      if (this.superblock.hasChecksums) {
        sealIndex(this.device.edit(block), inode.seed, true);
      }
    } else {
      this.sealLeaf(inode, block);
    }
  }

  private sealLeaf(inode: Inode, block: number): void {
    if (this.superblock.hasChecksums) {
      const { seed } = inode;
      this.device.finishLater(block, (content) => sealDirents(content, seed));
    }
  }

  private writeDots(block: Buffer, own: number, parent: number, end: number): void {
    const type = this.storesTypes ? 2 : 0;
    packDirents(block, end, [
      [Buffer.from('.'), own, type],
      [Buffer.from('..'), parent, type],
    ]);
  }

  /** Puts a name into a block with room; undefined when it takes more than that. */
  private insert(inode: Inode, name: Buffer, target: number, type: number): number | undefined {
    const blocks = this.blocks(inode);
    const [root] = blocks;
    if (root === undefined) {
      return undefined;
    }
    let candidates: readonly (number | undefined)[] = [blocks.at(-1)];
    if (inode.has(inodeFlag.indexed)) {
      const { seed, unsigned } = this.superblock.hash;
      const read = (index: number): Buffer => this.device.read(blocks[index] ?? -1);
      const leaf = leafFor(this.device.read(root), hashName(name, seed, unsigned), read);
      candidates = leaf === undefined || leaf === 0 ? [] : [blocks[leaf]];
    } else if (!this.canIndex) {
      candidates = blocks;
    }
    for (const block of candidates) {
      if (block !== undefined && insertDirent(this.device.edit(block), this.usable, name, target, type)) {
        this.sealLeaf(inode, block);
        return block;
      }
    }
    return undefined;
  }

  private get canIndex(): boolean {
    return this.superblock.has('compat', compat.dirIndex) && this.superblock.hash.version === 1;
  }

  /** All names anew: in one block when they fit, else behind an index. */
  private rebuild(inode: Inode, parent: number, known: readonly (readonly [Buffer, number, number])[]): void {
    // Where entries say no types, what we know of them is ours alone.
    const entries = this.storesTypes ? known : known.map(([name, target]) => [name, target, 0] as const);
    const size = entries.reduce((sum, [name]) => sum + direntSize(name.length), 24);
    if (size <= this.usable) {
      this.writeLinear(inode, parent, [entries]);
    } else if (!this.canIndex) {
      this.writeLinear(inode, parent, this.leaves(entries, 1, 24));
    } else {
      this.writeIndexed(inode, parent, entries);
    }
  }

  private writeLinear(
    inode: Inode,
    parent: number,
    leaves: readonly (readonly (readonly [Buffer, number, number])[])[],
  ): void {
    inode.flags &= ~inodeFlag.indexed;
    this.resize(inode, leaves.length);
    const type = this.storesTypes ? 2 : 0;
    for (const [index, block] of this.blocks(inode).entries()) {
      const dots = [
        [Buffer.from('.'), inode.number, type],
        [Buffer.from('..'), parent, type],
      ] as const;
      const leaf = leaves[index] ?? [];
      packDirents(this.device.fresh(block), this.usable, index === 0 ? [...dots, ...leaf] : leaf);
      this.sealLeaf(inode, block);
    }
  }

  private leaves<E extends readonly [Buffer, ...number[]]>(
    entries: readonly E[],
    fill: number,
    first: number,
  ): E[][] {
    const leaves: E[][] = [[]];
    let used = first;
    for (const entry of entries) {
      const size = direntSize(entry[0].length);
      if (used + size > this.usable * fill && (leaves.at(-1)?.length ?? 0) > 0) {
        leaves.push([]);
        used = 0;
      }
      leaves.at(-1)?.push(entry);
      used += size;
    }
    return leaves;
  }

  private writeIndexed(
    inode: Inode,
    parent: number,
    entries: readonly (readonly [Buffer, number, number])[],
  ): void {
    const { seed, unsigned } = this.superblock.hash;
    const hashed = entries
      .map(([name, number, type]) => [name, number, type, hashName(name, seed, unsigned)] as const)
      .sort((a, b) => a[3] - b[3]);
    const leaves = this.leaves(hashed, fillOfNew, 0);
    const format = { blockSize: this.device.blockSize, hasChecksums: this.superblock.hasChecksums };
    const own = indexBlocks(leaves.length, format);
    if (own === undefined) {
      throw new DiskError('capacity', 'a folder can not hold so many names');
    }
    inode.flags |= inodeFlag.indexed;
    this.resize(inode, own + leaves.length);
    const blocks = this.blocks(inode);
    const hashes = leaves.map((leaf, index) => {
      const hash = leaf[0]?.[3] ?? 0;
      return leaves[index - 1]?.at(-1)?.[3] === hash ? (hash | 1) >>> 0 : hash;
    });
    const index = blocks.slice(0, own).map((block) => this.device.fresh(block));
    this.writeDots(index[0] ?? Buffer.alloc(0), inode.number, parent, format.blockSize);
    writeIndex(index, hashes, format);
    for (const [at, leaf] of leaves.entries()) {
      const block = blocks[own + at] ?? -1;
      const plain = leaf.map(([name, number, type]) => [name, number, type] as const);
      packDirents(this.device.fresh(block), this.usable, plain);
      this.sealLeaf(inode, block);
    }
    if (format.hasChecksums) {
      index.forEach((block, at) => sealIndex(block, inode.seed, at === 0));
    }
  }
}
