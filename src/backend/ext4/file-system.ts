/**
 * An ext4 file system in an image, read and written without mounting it. All is synchronous: it lives in a worker.
 * What `transact` runs becomes so as a whole, or not at all, whenever the process is killed.
 */
import { closeSync } from 'node:fs';
import { decodeName, encodeName } from '../machine/file-names';
import { damaged, DiskError } from './disk-error';
import type { Range } from './punch-holes';
import type { Allocator } from './allocator';
import type { BlockDevice } from './block-device';
import type { Directories, Name } from './directories';
import { FileReader, NewContent } from './file-content';
import { fileType, maxMajor, maxMinor, type Inode, type InodeTable } from './structures/inode';
import type { InodeAttributes } from './inode-attributes';
import type { InodeBlocks } from './inode-blocks';
import { maxTargetBytes, putTarget } from './link-target';
import { type Attributes, newInode, now, openImage, Parts } from './parts';
import { RedoLog, redoLogOf } from './redo-log';
import { roCompat, type Superblock } from './structures/superblock';

export type { Attributes } from './parts';

export const rootInode = 2;
const mostLinks = 65_000;
const longestName = 255;
/** Not worth the while below, in bytes. */
const smallestHole = 64 * 1024;
const longestLink = 4095;

export class Ext4 {
  readonly device: BlockDevice;
  /** Extended attributes of files; changed in transactions only. */
  readonly attributes: InodeAttributes;
  private readonly superblock: Superblock;
  private readonly inodes: InodeTable;
  private readonly allocator: Allocator;
  private readonly blocks: InodeBlocks;
  private readonly directories: Directories;
  private readers = 0;

  private constructor(
    private readonly file: number,
    private readonly parts: Parts,
  ) {
    this.device = parts.device;
    this.attributes = parts.attributes;
    this.superblock = parts.superblock;
    this.inodes = parts.inodes;
    this.allocator = parts.allocator;
    this.blocks = parts.blocks;
    this.directories = parts.directories;
  }

  /** An image whose journal is empty and whose redo log is finished. */
  static open(path: string): Ext4 {
    return openImage(path, (file, superblock) => {
      const isWritable = superblock.unwritable === undefined;
      const log = isWritable ? new RedoLog(redoLogOf(path), file) : undefined;
      return new Ext4(file, new Parts(file, superblock, log));
    });
  }

  /** Answers what of the image was in use and is not any more: whole blocks that may become holes. */
  close(): Range[] {
    try {
      const released = this.device.hasChanges ? [] : this.released();
      this.device.close();
      return released;
    } finally {
      closeSync(this.file);
    }
  }

  private released(): Range[] {
    try {
      return this.allocator
        .released(Math.ceil(smallestHole / this.blockSize))
        .map(({ start, count }) => ({ offset: start * this.blockSize, length: count * this.blockSize }));
    } catch {
      return []; // of a damaged image nothing is given back
    }
  }

  get blockSize(): number {
    return this.superblock.blockSize;
  }

  /** Grows with what is changed; 0: nothing waits to be committed. */
  get changes(): number {
    return this.device.changes;
  }

  /** A copy: changed by `change` only. */
  inode(number: number): Inode {
    return this.inodes.read(number);
  }

  names(directory: number): ReadonlyMap<string, Name> {
    return this.directories.names(this.directory(directory));
  }

  sortedNames(directory: number): readonly string[] {
    return this.directories.sorted(this.directory(directory));
  }

  lookup(directory: number, name: string): number | undefined {
    return this.names(directory).get(name)?.inode;
  }

  readLink(inode: Inode): string {
    const { size } = inode;
    if (size === 0 || size > longestLink) {
      throw damaged(`the link of inode ${inode.number} has an impossible length`);
    }
    const ownSectors = inode.attributes === 0 ? 0 : this.blockSize / 512;
    if (size < 60 && inode.sectors === ownSectors) {
      return decodeName(inode.body.subarray(0, size));
    }
    return decodeName(new FileReader(this.device, this.blocks.mapping(inode).extents, size).read(0, size));
  }

  /** Its content as it is now, also when the file is replaced or removed meanwhile; until `close`. */
  reader(inode: Inode): { content: FileReader; close: () => void } {
    const content = new FileReader(this.device, this.blocks.mapping(inode).extents, inode.size);
    this.readers++;
    let isOpen = true;
    const close = (): void => {
      if (isOpen) {
        isOpen = false;
        this.readers--;
        this.recycle();
      }
    };
    return { content, close };
  }

  newContent(): NewContent {
    this.refuseReadOnly();
    return new NewContent(this.device, this.allocator);
  }

  /** All that `run` changes becomes so together. Transactions are not nested. */
  transact<T>(run: () => T): T {
    this.refuseReadOnly();
    try {
      const result = run();
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  change(number: number, change: (inode: Inode) => void): void {
    const inode = this.inode(number);
    change(inode);
    inode.setTime('ctime', now());
    this.inodes.write(inode);
  }

  makeFile(directory: number, name: string, content: NewContent, attributes: Attributes): number {
    const inode = this.begin(directory, fileType.regular, attributes);
    this.putContent(inode, content, []);
    this.inodes.write(inode);
    this.enter(directory, name, inode);
    return inode.number;
  }

  /** New content for a file, whose names, owner and attributes stay. In a transaction. */
  replaceContent(number: number, content: NewContent): void {
    const inode = this.inode(number);
    this.putContent(inode, content, this.blocks.freeContent(inode));
    inode.setTime('mtime', now());
    inode.setTime('ctime', now());
    this.inodes.write(inode);
  }

  makeDirectory(parent: number, name: string, attributes: Attributes): number {
    const above = this.inode(parent);
    if (above.links >= mostLinks && !this.superblock.has('roCompat', roCompat.dirLinks)) {
      throw new DiskError('capacity', 'a folder can not hold so many folders');
    }
    const inode = this.begin(parent, fileType.directory, attributes);
    inode.links = 2;
    this.inodes.write(inode);
    this.directories.begin(inode, parent);
    this.inodes.write(inode);
    this.enter(parent, name, inode);
    this.countFolder(parent, 1);
    return inode.number;
  }

  makeLink(directory: number, name: string, target: string, attributes: Attributes): number {
    const bytes = encodeName(target);
    if (bytes.length === 0 || bytes.length > maxTargetBytes(this.device)) {
      throw new DiskError('bad_request', 'the target of a link is empty or too long');
    }
    const inode = this.begin(directory, fileType.symlink, { ...attributes, mode: 0o777 });
    putTarget(this.parts, inode, bytes);
    this.inodes.write(inode);
    this.enter(directory, name, inode);
    return inode.number;
  }

  makePipe(directory: number, name: string, attributes: Attributes): number {
    const inode = this.begin(directory, fileType.fifo, attributes);
    this.inodes.write(inode);
    this.enter(directory, name, inode);
    return inode.number;
  }

  /** A device. Throws `bad_request` for numbers that the kernel does not have. */
  makeDevice(
    directory: number,
    name: string,
    device: { kind: 'character' | 'block'; major: number; minor: number },
    attributes: Attributes,
  ): number {
    if (device.major > maxMajor || device.minor > maxMinor) {
      throw new DiskError('bad_request', 'there is no device of that number');
    }
    const inode = this.begin(directory, fileType[device.kind], attributes);
    inode.device = device;
    this.inodes.write(inode);
    this.enter(directory, name, inode);
    return inode.number;
  }

  /** Another name for a file. */
  addName(directory: number, name: string, number: number): void {
    const inode = this.inode(number);
    if (inode.isDirectory || inode.links >= mostLinks) {
      throw new DiskError('bad_request', 'it can not have another name');
    }
    this.change(number, (changed) => (changed.links += 1));
    this.enter(directory, name, inode);
  }

  /** Removes a name, and what it meant when that has no other. A folder must be empty. */
  remove(directory: number, name: string): void {
    const number = this.lookup(directory, name);
    if (number === undefined) {
      throw new DiskError('path_not_found');
    }
    const inode = this.inode(number);
    if (inode.isDirectory && this.names(number).size > 0) {
      throw new DiskError('directory_not_empty');
    }
    this.update(directory, (parent) => this.directories.remove(parent, name));
    this.drop(inode, directory);
  }

  /** What was at the target is gone afterwards; a folder replaces only an empty one. */
  rename(from: number, name: string, to: number, newName: string): void {
    const number = this.lookup(from, name);
    if (number === undefined) {
      throw new DiskError('path_not_found');
    }
    const inode = this.inode(number);
    const old = this.lookup(to, newName);
    if (old === number) {
      return;
    }
    if (old === undefined) {
      this.enter(to, newName, inode);
    } else {
      const replaced = this.inode(old);
      this.refuseReplacing(inode, replaced);
      this.update(to, (parent) => this.directories.change(parent, newName, number, inode.entryType));
      this.drop(replaced, to);
    }
    this.update(from, (parent) => this.directories.remove(parent, name));
    this.change(number, () => undefined);
    if (inode.isDirectory && from !== to) {
      this.update(number, (moved) => this.directories.setParent(moved, to), false);
      this.countFolder(from, -1);
      this.countFolder(to, 1);
    }
  }

  private refuseReplacing(inode: Inode, replaced: Inode): void {
    if (replaced.isDirectory && !inode.isDirectory) {
      throw new DiskError('is_a_directory');
    }
    if (inode.isDirectory && !replaced.isDirectory) {
      throw new DiskError('not_a_directory');
    }
    if (replaced.isDirectory && this.names(replaced.number).size > 0) {
      throw new DiskError('directory_not_empty');
    }
  }

  private refuseReadOnly(): void {
    if (!this.device.isWritable) {
      throw new DiskError('read_only', this.superblock.unwritable);
    }
  }

  /** The inode is not written. `map`: the blocks of the map that it has. */
  private putContent(inode: Inode, content: NewContent, map: readonly number[]): void {
    const blocks = content.runs.reduce((sum, run) => sum + run.count, 0);
    // From here on they are the transaction's.
    for (const run of content.runs.splice(0)) {
      this.allocator.use(run);
    }
    inode.size = content.size;
    const attributes = inode.attributes === 0 ? 0 : 1;
    const own = this.blocks.map(inode, content.extents, map);
    inode.setBlocks(blocks + attributes + own, this.blockSize);
  }

  private directory(number: number): Inode {
    const inode = this.inode(number);
    if (!inode.isDirectory) {
      throw new DiskError('not_a_directory');
    }
    return inode;
  }

  private begin(parent: number, type: number, attributes: Attributes): Inode {
    const inode = newInode(this.parts, parent, type, attributes);
    if (type === fileType.regular) {
      this.blocks.map(inode, [], []);
    }
    this.directories.forget(inode.number);
    return inode;
  }

  private enter(directory: number, name: string, inode: Inode): void {
    const { length } = encodeName(name);
    if (length === 0 || length > longestName || name === '.' || name === '..' || /[/\0]/.test(name)) {
      throw new DiskError('bad_request', 'no file can have that name');
    }
    if (this.lookup(directory, name) !== undefined) {
      throw new DiskError('path_exists');
    }
    this.update(directory, (parent) => this.directories.add(parent, name, inode.number, inode.entryType));
  }

  /** A change inside a directory, which shows in its times. */
  private update(number: number, change: (directory: Inode) => void, isContent = true): void {
    const directory = this.directory(number);
    change(directory);
    if (isContent) {
      directory.setTime('mtime', now());
      directory.setTime('ctime', now());
    }
    this.inodes.write(directory);
  }

  /** `..` of a folder is a link to the one around it; 1 stands for more than can be counted. */
  private countFolder(parent: number, by: number): void {
    this.change(parent, (inode) => {
      const links = inode.links === 1 ? 1 : inode.links + by;
      inode.links = links > mostLinks ? 1 : Math.max(2, links);
      if (links === 1) {
        inode.links = 1;
      }
    });
  }

  /** One name less. */
  private drop(inode: Inode, parent: number): void {
    if (inode.isDirectory) {
      this.countFolder(parent, -1);
    } else if (inode.links > 1) {
      this.change(inode.number, (changed) => (changed.links -= 1));
      return;
    }
    this.blocks.free(inode);
    this.allocator.freeInode(inode.number, inode.isDirectory);
    this.inodes.erase(inode.number);
    this.directories.forget(inode.number);
  }

  /** Ends the transaction: what was changed since the last one is so for good. */
  commit(): void {
    this.parts.commit();
    this.allocator.settle();
    this.recycle();
  }

  /** Ends it, and nothing was changed. */
  rollback(): void {
    if (this.device.hasChanges) {
      this.device.rollback();
      this.directories.forget();
    }
    this.allocator.settle();
    this.recycle();
  }

  private recycle(): void {
    if (this.readers === 0 && !this.device.hasChanges) {
      this.allocator.recycle();
    }
  }
}
