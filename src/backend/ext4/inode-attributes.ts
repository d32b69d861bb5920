/** Gives inodes their extended attributes: in the inode as far as they fit, the rest in one block. */
import { DiskError } from './disk-error';
import type { Allocator } from './allocator';
import {
  attributesMagic,
  attributesOf,
  blockHeader,
  hashOfBlock,
  inodeArea,
  inOrder,
  readAttributes,
  roomOf,
  sealAttributes,
  storedAttribute,
  writeEntries,
  type StoredAttribute,
} from './structures/attributes';
import type { BlockDevice } from './block-device';
import type { Inode, InodeTable } from './structures/inode';
import type { InodeBlocks } from './inode-blocks';
import { compat, type Superblock } from './structures/superblock';

/** Zeros that end the entries of an area. */
const endMark = 4;

export class InodeAttributes {
  constructor(
    private readonly device: BlockDevice,
    private readonly superblock: Superblock,
    private readonly inodes: InodeTable,
    private readonly blocks: InodeBlocks,
    private readonly allocator: Allocator,
  ) {}

  /** All of a file by their full names, with the values that getxattr(2) answers. */
  list(inode: number): Map<string, Buffer> {
    return attributesOf(this.device, this.inodes.read(inode));
  }

  get(inode: number, name: string): Buffer | undefined {
    return this.list(inode).get(name);
  }

  /** In a transaction. Throws `bad_request` for a name or value that the kernel would not take, `no_space` for too much. */
  set(inode: number, name: string, value: Buffer): void {
    const stored = storedAttribute(name, value);
    if ('problem' in stored) {
      throw new DiskError('bad_request', `the attribute ${JSON.stringify(name)} ${stored.problem}`);
    }
    const changed = this.inodes.read(inode);
    const others = this.without(changed, stored);
    if (!this.write(changed, [...others, stored])) {
      throw new DiskError(
        'no_space',
        `the attribute ${JSON.stringify(name)} does not fit beside the file's others`,
      );
    }
    this.finish(changed);
  }

  /** In a transaction; false when there was none of that name. */
  remove(inode: number, name: string): boolean {
    const stored = storedAttribute(name, this.get(inode, name) ?? Buffer.alloc(0));
    const changed = this.inodes.read(inode);
    const before = readAttributes(this.device, changed).length;
    const others = 'problem' in stored ? [] : this.without(changed, stored);
    if ('problem' in stored || others.length === before) {
      return false;
    }
    this.write(changed, others);
    this.finish(changed);
    return true;
  }

  /** Of a new inode, which is not written here. Answers those that were left out, and why. */
  give(inode: Inode, attributes: ReadonlyMap<string, Buffer>): { name: string; problem: string }[] {
    const left: { name: string; problem: string }[] = [];
    let all: StoredAttribute[] = [];
    for (const [name, value] of attributes) {
      const stored = storedAttribute(name, value);
      if ('problem' in stored) {
        left.push({ name, problem: stored.problem });
      } else if (this.split(inode, [...all, stored]) === undefined) {
        left.push({ name, problem: "does not fit beside the file's others" });
      } else {
        all = [...all, stored];
      }
    }
    if (all.length > 0) {
      this.write(inode, all);
    }
    return left;
  }

  private without(inode: Inode, { index, name }: StoredAttribute): StoredAttribute[] {
    return readAttributes(this.device, inode).filter(
      (each) => each.index !== index || !each.name.equals(name),
    );
  }

  private finish(inode: Inode): void {
    inode.setTime('ctime', Date.now() * 1000);
    this.inodes.write(inode);
  }

  /** What goes into the inode and what into the block; undefined when they have no room for all. */
  private split(
    inode: Inode,
    attributes: readonly StoredAttribute[],
  ): { own: StoredAttribute[]; others: StoredAttribute[] } | undefined {
    let ownRoom = inodeArea(inode).length - 4 - endMark;
    let room = this.device.blockSize - blockHeader - endMark;
    const own: StoredAttribute[] = [];
    const others: StoredAttribute[] = [];
    for (const each of [...attributes].sort((a, b) => roomOf(a) - roomOf(b))) {
      const needed = roomOf(each);
      if (needed <= ownRoom) {
        ownRoom -= needed;
        own.push(each);
      } else {
        room -= needed;
        others.push(each);
      }
    }
    return room < 0 ? undefined : { own, others };
  }

  /** false, and nothing is changed, when there is no room. The inode is not written. */
  private write(inode: Inode, attributes: readonly StoredAttribute[]): boolean {
    if (!this.superblock.has('compat', compat.attributes)) {
      throw new DiskError('not_supported', 'the file system has no extended attributes');
    }
    const places = this.split(inode, attributes);
    if (places === undefined) {
      return false;
    }
    const area = inodeArea(inode).fill(0);
    if (places.own.length > 0) {
      area.writeUInt32LE(attributesMagic, 0);
      writeEntries(area.subarray(4), 0, places.own);
    }
    this.putBlock(inode, places.others);
    return true;
  }

  private putBlock(inode: Inode, attributes: readonly StoredAttribute[]): void {
    const blocks = this.blocks.count(inode) - (inode.attributes === 0 ? 0 : 1);
    this.blocks.dropAttributes(inode);
    if (attributes.length === 0) {
      inode.setBlocks(blocks, this.device.blockSize);
      return;
    }
    const { start } = this.allocator.take(1);
    const block = this.device.fresh(start);
    const hashes = writeEntries(block, blockHeader, [...attributes].sort(inOrder));
    block.writeUInt32LE(attributesMagic, 0);
    block.writeUInt32LE(1, 4);
    block.writeUInt32LE(1, 8);
    block.writeUInt32LE(hashOfBlock(hashes), 12);
    sealAttributes(this.superblock, start, block);
    inode.attributes = start;
    inode.setBlocks(blocks + 1, this.device.blockSize);
  }
}
