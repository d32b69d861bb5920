/**
 * Files by their names: the contents of a folder, and what becomes of a file when it gets, changes or loses a name. Changes are
 * made in the transaction of whoever asks.
 */
import { fileNameProblem } from '../../api/rules/names';
import { encodeName } from '../machine/file-names';
import type { Allocator } from './allocator';
import type { Directories, Name } from './directories';
import { DiskError } from './disk-error';
import type { InodeBlocks } from './inode-blocks';
import { now, type Parts } from './parts';
import type { Inode, InodeTable } from './structures/inode';

/** How many names a file, and how many folders a folder can have. */
export const maxLinks = 65_000;

export class Entries {
  private readonly inodes: InodeTable;
  private readonly allocator: Allocator;
  private readonly blocks: InodeBlocks;
  private readonly directories: Directories;

  constructor(parts: Parts) {
    this.inodes = parts.inodes;
    this.allocator = parts.allocator;
    this.blocks = parts.blocks;
    this.directories = parts.directories;
  }

  names(directory: number): ReadonlyMap<string, Name> {
    return this.directories.known(directory) ?? this.directories.names(this.directory(directory));
  }

  sortedNames(directory: number): readonly string[] {
    return this.directories.sorted(this.directory(directory));
  }

  lookup(directory: number, name: string): number | undefined {
    return this.names(directory).get(name)?.inode;
  }

  /** Changes an inode, and the time that says so. */
  change(number: number, change: (inode: Inode) => void): void {
    const inode = this.inodes.read(number);
    change(inode);
    inode.setTime('ctime', now());
    this.inodes.write(inode);
  }

  /** Another name for a file. Throws `bad_request` for a folder, and for a file with as many names as ext4 allows. */
  addName(directory: number, name: string, number: number): void {
    const inode = this.inodes.read(number);
    if (inode.isDirectory || inode.links >= maxLinks) {
      throw new DiskError('bad_request', 'it can not have another name');
    }
    this.change(number, (changed) => (changed.links += 1));
    this.enter(directory, name, inode);
  }

  /**
   * Removes a name, and what it meant when that has no other. A folder must be empty. Throws `path_not_found` and
   * `directory_not_empty`.
   */
  remove(directory: number, name: string): void {
    const number = this.lookup(directory, name);
    if (number === undefined) {
      throw new DiskError('path_not_found');
    }
    const inode = this.inodes.read(number);
    if (inode.isDirectory && this.names(number).size > 0) {
      throw new DiskError('directory_not_empty');
    }
    this.update(directory, (parent) => this.directories.remove(parent, name));
    this.drop(inode, directory);
  }

  /**
   * What was at the target is gone afterwards; a folder replaces only an empty one. Throws `path_not_found`, and what
   * is in the way at the target.
   */
  rename(from: number, name: string, to: number, newName: string): void {
    const number = this.lookup(from, name);
    if (number === undefined) {
      throw new DiskError('path_not_found');
    }
    const inode = this.inodes.read(number);
    const old = this.lookup(to, newName);
    if (old === number) {
      return;
    }
    if (old === undefined) {
      this.enter(to, newName, inode);
    } else {
      const replaced = this.inodes.read(old);
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

  private directory(number: number): Inode {
    const inode = this.inodes.read(number);
    if (!inode.isDirectory) {
      throw new DiskError('not_a_directory');
    }
    return inode;
  }

  /** Gives an inode a name. Throws `path_exists`, and `bad_request` for what can't be a name. */
  enter(directory: number, name: string, inode: Inode): void {
    const { length } = encodeName(name);
    if (fileNameProblem(name, length) !== undefined) {
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
  countFolder(parent: number, by: number): void {
    this.change(parent, (inode) => {
      const links = inode.links === 1 ? 1 : inode.links + by;
      inode.links = links > maxLinks ? 1 : Math.max(2, links);
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
}
