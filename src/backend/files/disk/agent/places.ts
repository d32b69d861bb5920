/**
 * Finding a path inside the volume so that no link leads out of it: the rules of images/tools/agent/places.py. Links
 * are followed here, by hand; `..` in one goes back to a folder that was walked through, never above the root.
 */
import { encodeName, isTooLongName } from '../../../machine/file-names';
import { homeAlias, homeFolder } from '../../../../api/rules/home-volume';
import { maxPathBytes } from '../../../../api/rules/names';
import { normalizePath } from '../../../../api/rules/volume-path';
import { DiskError } from '../../../ext4/disk-error';
import { type Ext4, rootInode } from '../../../ext4/file-system';
import { fileType, type Inode } from '../../../ext4/structures/inode';

/** Where workspaces see the volume: absolute links made there mean the volume's root. */
const mountPoints = [homeFolder, homeAlias, '/volume'];
const maxLinks = 40;
/** Characters of one that is longer, in a message. */
const shownPath = 200;

/**
 * The names in a path, which no link and no `..` is in. Throws `bad_request` for anything else, also for what is too
 * long.
 */
export function split(path: unknown): string[] {
  if (typeof path !== 'string' || /\p{Cs}/u.test(path)) {
    throw new DiskError('bad_request', 'it is no path');
  }
  const parts = normalizePath(path)
    .split('/')
    .filter((part) => part !== '');
  const whole = parts.join('/');
  if (whole.length > maxPathBytes || encodeName(whole).length > maxPathBytes) {
    const detail = `a path has at most ${maxPathBytes} bytes`;
    throw new DiskError('bad_request', detail, `${path.slice(0, shownPath)}…`);
  }
  if (parts.some(isTooLongName)) {
    throw new DiskError('bad_request', 'a name in it is too long');
  }
  return parts;
}

/**
 * What uses a device would go on with an ordinary file in its place: every program that writes to /dev/null, for one.
 * Throws `not_supported` for a device.
 */
export function refuseDevice(inode: Inode | undefined): void {
  if (isDevice(inode)) {
    throw deviceStays();
  }
}

/** Whether it is a device of characters or blocks. */
export function isDevice(inode: Inode | undefined): boolean {
  return inode?.type === fileType.character || inode?.type === fileType.block;
}

/** The error for what would take the place of a device. */
export function deviceStays(): DiskError {
  return new DiskError('not_supported', 'a device is not replaced by anything');
}

/** A name in a folder, whether there is such a file or not. */
export class Place {
  /** Undefined: there is none. */
  inode: Inode | undefined;
  /** `.` for the root itself. */
  name = '.';
  private readonly directories = [rootInode];
  private readonly names: string[] = [];

  /** The folder that the name is in. */
  get directory(): number {
    return this.directories.at(-1) ?? rootInode;
  }

  get isRoot(): boolean {
    return this.name === '.';
  }

  /** From the volume's root, without links. */
  get path(): string {
    return `/${[...this.names, ...(this.isRoot ? [] : [this.name])].join('/')}`;
  }

  get isDirectory(): boolean {
    return this.inode?.isDirectory === true;
  }

  /** True when a folder is on the way from the root to the name. */
  isBelow(inode: number): boolean {
    return this.directories.includes(inode);
  }

  /** Goes into a folder. Throws `internal` for one that it is in already: the disk is damaged. */
  down(name: string, inode: number): void {
    if (this.directories.includes(inode)) {
      throw new DiskError('internal', 'a folder of the disk is inside itself; check it with e2fsck -f');
    }
    this.directories.push(inode);
    this.names.push(name);
  }

  /** Goes back to the folder above, and answers the name left behind. Throws `path_escapes` at the root. */
  up(): string {
    const name = this.names.pop();
    if (name === undefined) {
      throw new DiskError('path_escapes');
    }
    this.directories.pop();
    return name;
  }

  toRoot(): void {
    this.names.length = 0;
    this.directories.length = 1;
  }
}

/** A file system by paths from its root. */
export class Volume {
  /** `isRootDisk`: all of a system, in which links mean what they mean there. */
  constructor(
    readonly fs: Ext4,
    private readonly isRootDisk = false,
  ) {}

  /**
   * The last name may be missing; everything before it must be there. It is followed unless `follow` is false. Throws
   * `path_not_found`, also after too many links, and `not_a_directory`.
   */
  find(parts: readonly string[], follow = true): Place {
    const place = new Place();
    const todo = [...parts].reverse();
    let links = 0;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '..') {
        if (!this.isRootDisk || place.directory !== rootInode) {
          place.up();
        }
        continue;
      }
      const inode = this.status(place.directory, name);
      if (inode?.type === fileType.symlink && (todo.length > 0 || follow)) {
        if (++links > maxLinks) {
          throw new DiskError('path_not_found', 'too many links');
        }
        todo.push(...this.behind(inode, place));
      } else if (todo.length === 0) {
        place.name = name;
        place.inode = inode;
        return place;
      } else if (inode === undefined) {
        throw new DiskError('path_not_found');
      } else if (!inode.isDirectory) {
        throw new DiskError('not_a_directory');
      } else {
        place.down(name, inode.number);
      }
    }
    this.settle(place, place.path === '/' ? '.' : place.up());
    return place;
  }

  /** The place of what is there. Throws `path_not_found`. */
  existing(parts: readonly string[], follow = true): Place & { inode: Inode } {
    const place = this.find(parts, follow);
    if (!isThere(place)) {
      throw new DiskError('path_not_found');
    }
    return place;
  }

  /** The status of a name, undefined when there is none. */
  status(directory: number, name: string): Inode | undefined {
    const number = this.fs.lookup(directory, name);
    return number === undefined ? undefined : this.fs.inode(number);
  }

  /** Looks again what is there. */
  settle(place: Place, name: string): void {
    place.name = name;
    place.inode = place.isRoot ? this.fs.inode(rootInode) : this.status(place.directory, name);
  }

  /** What is to be walked instead of a link, last name first. */
  private behind(link: Inode, place: Place): string[] {
    let target = this.fs.readLink(link);
    if (target.startsWith('/')) {
      target = this.isRootDisk ? target : inside(target);
      place.toRoot();
    }
    return target
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .reverse();
  }
}

function isThere(place: Place): place is Place & { inode: Inode } {
  return place.inode !== undefined;
}

function inside(target: string): string {
  const mount = mountPoints.find((point) => target === point || target.startsWith(`${point}/`));
  if (mount === undefined) {
    throw new DiskError('path_escapes');
  }
  return target.slice(mount.length);
}
