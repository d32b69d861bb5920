/**
 * An ext4 file system in an image, read and written without mounting it: the disks of microVMs while no guest has them,
 * and images that are filled before a guest sees them. A guest's kernel writes them too, so all of it is hostile input.
 *
 * - `Ext4` (here) is what users of this folder see. All is synchronous: it lives in a worker (`files/disk`).
 * - What `transact` runs becomes so as a whole, or not at all, whenever the process is killed: changed blocks are gathered
 *   (`block-device.ts`), written to a redo log beside the image (`redo-log.ts`), then to the image.
 * - `entries.ts` files by their names, `file-content.ts` what is in them, `inode-attributes.ts` their attributes,
 *   `directories.ts`, `allocator.ts` and `inode-blocks.ts` what these stand on; `structures/` the layouts on the disk.
 * - `fitness.ts` comes before: it finishes a redo log, has e2fsck replay the journal, and refuses what we can't read.
 *   `structures/features.ts` says which feature bits are read, and which are written.
 * - `format.ts` makes an empty one with mke2fs, which knows the layouts of all sizes; it is filled by `Ext4` alone, as
 *   neither mke2fs nor debugfs takes owners, attributes and names of an archive as data.
 *
 * Tests (test/unit/backend/ext4): random changes on file systems of every kind, after which `e2fsck -fn` and a model must
 * agree; kills at every write; images that were damaged at random. `npm run soak` draws other cases each round.
 */
import { closeSync } from 'node:fs';
import { decodeName, encodeName } from '../machine/file-names';
import { damaged, DiskError } from './disk-error';
import type { Range } from './punch-holes';
import type { Allocator } from './allocator';
import type { BlockDevice } from './block-device';
import type { Directories, Name } from './directories';
import { Entries, maxLinks } from './entries';
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
/** Not worth the while below, in bytes. */
const smallestHole = 64 * 1024;
const maxLinkBytes = 4095;

export class Ext4 {
  readonly device: BlockDevice;
  /** Extended attributes of files; changed in transactions only. */
  readonly attributes: InodeAttributes;
  private readonly superblock: Superblock;
  private readonly inodes: InodeTable;
  private readonly allocator: Allocator;
  private readonly blocks: InodeBlocks;
  private readonly directories: Directories;
  private readonly entries: Entries;
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
    this.entries = new Entries(parts);
  }

  /** An image whose journal is empty and whose redo log is finished. `mode` as of open(2): `r` to change nothing. */
  static open(path: string, mode: 'r' | 'r+' = 'r+'): Ext4 {
    const open = (file: number, superblock: Superblock): Ext4 => {
      const isWritable = mode === 'r+' && superblock.unwritable === undefined;
      const log = isWritable ? new RedoLog(redoLogOf(path), file) : undefined;
      return new Ext4(file, new Parts(file, superblock, log));
    };
    return openImage(path, open, mode);
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

  /** As it is now, without a copy: to be read at once, and never to be changed. */
  view(number: number): Inode {
    return this.inodes.view(number);
  }

  names(directory: number): ReadonlyMap<string, Name> {
    return this.entries.names(directory);
  }

  sortedNames(directory: number): readonly string[] {
    return this.entries.sortedNames(directory);
  }

  lookup(directory: number, name: string): number | undefined {
    return this.entries.lookup(directory, name);
  }

  /** The target of a symbolic link. Throws `internal` for a length that none can have. */
  readLink(inode: Inode): string {
    const { size } = inode;
    if (size === 0 || size > maxLinkBytes) {
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

  /** Runs `run` in one transaction: all of its changes are committed, or none. Transactions are not nested. */
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
    this.entries.change(number, change);
  }

  /** Another name for a file. */
  addName(directory: number, name: string, number: number): void {
    this.entries.addName(directory, name, number);
  }

  /** Removes a name, and what it meant when that has no other. A folder must be empty. */
  remove(directory: number, name: string): void {
    this.entries.remove(directory, name);
  }

  /** What was at the target is gone afterwards; a folder replaces only an empty one. */
  rename(from: number, name: string, to: number, newName: string): void {
    this.entries.rename(from, name, to, newName);
  }

  makeFile(directory: number, name: string, content: NewContent, attributes: Attributes): number {
    const inode = this.begin(directory, fileType.regular, attributes);
    this.putContent(inode, content, []);
    this.inodes.write(inode);
    this.entries.enter(directory, name, inode);
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

  /** Makes a folder, and answers its inode. Throws `capacity` where the one above can have no more. */
  makeDirectory(parent: number, name: string, attributes: Attributes): number {
    const above = this.inode(parent);
    if (above.links >= maxLinks && !this.superblock.has('roCompat', roCompat.dirLinks)) {
      throw new DiskError('capacity', 'a folder can not hold so many folders');
    }
    const inode = this.begin(parent, fileType.directory, attributes);
    inode.links = 2;
    this.inodes.write(inode);
    this.directories.begin(inode, parent);
    this.inodes.write(inode);
    this.entries.enter(parent, name, inode);
    this.entries.countFolder(parent, 1);
    return inode.number;
  }

  /** Makes a symbolic link, and answers its inode. Throws `bad_request` for a target that is empty or too long. */
  makeLink(directory: number, name: string, target: string, attributes: Attributes): number {
    const bytes = encodeName(target);
    if (bytes.length === 0 || bytes.length > maxTargetBytes(this.device)) {
      throw new DiskError('bad_request', 'the target of a link is empty or too long');
    }
    const inode = this.begin(directory, fileType.symlink, { ...attributes, mode: 0o777 });
    putTarget(this.parts, inode, bytes);
    this.inodes.write(inode);
    this.entries.enter(directory, name, inode);
    return inode.number;
  }

  makePipe(directory: number, name: string, attributes: Attributes): number {
    const inode = this.begin(directory, fileType.fifo, attributes);
    this.inodes.write(inode);
    this.entries.enter(directory, name, inode);
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
    this.entries.enter(directory, name, inode);
    return inode.number;
  }

  private refuseReadOnly(): void {
    if (!this.device.isWritable) {
      throw new DiskError('read_only', this.superblock.unwritable);
    }
  }

  /** The inode is not written. `map`: the blocks of the map that it has. */
  private putContent(inode: Inode, content: NewContent, map: readonly number[]): void {
    if (content.isLost) {
      throw new DiskError('no_space', 'the disk of this machine took not all of it');
    }
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

  private begin(parent: number, type: number, attributes: Attributes): Inode {
    const inode = newInode(this.parts, parent, type, attributes);
    if (type === fileType.regular) {
      this.blocks.map(inode, [], []);
    }
    this.directories.forget(inode.number);
    return inode;
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
