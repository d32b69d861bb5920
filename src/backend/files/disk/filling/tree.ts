/** What tars hold, as a tree of inodes: the last entry of a path counts, and hard links share their inode. */
import { BerthError } from '../../../../api/errors';
import { maxFileNameBytes, maxPathBytes } from '../../../../api/rules/names';
import type { NewInode } from './steps';
import { leaveOut, type LeftOut } from '../../../tar/losses';
import { encodeName } from '../../../machine/file-names';

/** A name in the tree; one inode may have several. */
export interface Node {
  inode: NewInode;
  readonly children: Map<string, Node>;
  /** The layer that put it there last. */
  layer: number;
  /** The layer that has hidden all of lower ones in it. */
  opaque?: number;
}

/** As the kernel has it (path_resolution(7)). */
const maxLinks = 40;
/** Names on one way, those in the targets of links too: links in links must not cost minutes. */
const maxSteps = 8192;
const maxShownChars = 255;
/** Far more than any real image has: a hostile one must not fill the memory. */
const maxNodes = 2_000_000;
/** Of names, targets, values and maps of holes. */
const maxBytes = 1024 ** 3;

const folder = (): NewInode => ({
  ...{ kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, size: 0 },
  xattrs: new Map(),
});

/** Of all that is not a folder: nothing is ever put in, and a map for each would be a third of the memory. */
const childless = new Map<string, Node>();

export class Tree {
  readonly root: Node = { inode: folder(), children: new Map(), layer: 0 };
  readonly leftOut: LeftOut = { lines: [], more: 0 };
  private layer = 0;
  private made = 1;
  private bytes = 0;

  /** What comes now lies over what there is. */
  beginLayer(): void {
    this.layer += 1;
  }

  /** The parts of an entry's name; undefined (and a warning) for one that is none. */
  partsOf(name: string): string[] | undefined {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    const problem = parts.includes('..')
      ? 'leads outside'
      : name.includes('\0')
        ? 'has a zero byte in its name'
        : encodeName(name).length > maxPathBytes ||
            parts.some((part) => encodeName(part).length > maxFileNameBytes)
          ? 'has too long a name'
          : undefined;
    if (problem !== undefined) {
      this.warn(`${shown(name)} ${problem} and was left out.`);
      return undefined;
    }
    return parts;
  }

  /** A few words, whatever an archive has in it. */
  warn(text: string): void {
    leaveOut(this.leftOut, text);
  }

  put(parts: readonly string[], inode: NewInode): void {
    this.weigh(bytesOf(parts, inode));
    const name = parts.at(-1);
    const parent = name === undefined ? this.root : this.folderAt(parts.slice(0, -1));
    const known = name === undefined ? this.root : parent.children.get(name);
    if (known?.inode.kind === 'directory' && inode.kind === 'directory') {
      Object.assign(known.inode, inode);
      this.touch(known);
    } else if (name !== undefined) {
      parent.children.delete(name);
      parent.children.set(name, this.node(inode));
    }
  }

  /** Throws when all that is kept in memory becomes too much. */
  weigh(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > maxBytes) {
      throw new BerthError(
        'too_large',
        `The image has more than ${maxBytes / 1024 ** 2} MiB of names and attributes.`,
      );
    }
  }

  /** A second name; false when there is no such file. */
  link(parts: readonly string[], target: readonly string[]): boolean {
    const inode = this.find(target)?.inode;
    if (inode === undefined || inode.kind === 'directory') {
      return false;
    }
    if (parts.join('/') !== target.join('/')) {
      this.put(parts, inode);
    }
    return true;
  }

  /** Removes what lower layers have at a path; what this one put there stays. */
  hide(parts: readonly string[]): void {
    const name = parts.at(-1);
    const parent = this.find(parts.slice(0, -1), true);
    const node = name === undefined ? undefined : parent?.children.get(name);
    if (parent === undefined || name === undefined || node === undefined) {
      return;
    }
    if (node.layer === this.layer) {
      this.hideBelow(node);
    } else {
      parent.children.delete(name);
    }
  }

  /** Removes what lower layers have in a folder. */
  hideIn(parts: readonly string[]): void {
    const node = this.find(parts, true);
    if (node !== undefined) {
      this.hideBelow(node);
    }
  }

  /** Every folder, those around it first; the root is the empty path. */
  *folders(): Generator<[path: string, node: Node]> {
    const waiting: [string, Node][] = [['', this.root]];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      yield next;
      for (const [name, child] of next[1].children) {
        if (child.inode.kind === 'directory') {
          waiting.push([next[0] === '' ? name : `${next[0]}/${name}`, child]);
        }
      }
    }
  }

  /** Every inode once, however many names it has. */
  *inodes(): Generator<NewInode> {
    const seen = new Set<NewInode>([this.root.inode]);
    yield this.root.inode;
    for (const [, { children }] of this.folders()) {
      for (const { inode } of children.values()) {
        if (!seen.has(inode)) {
          seen.add(inode);
          yield inode;
        }
      }
    }
  }

  /** What is at a path, links on the way to it followed as inside of the tree; the last name is not, unless told. */
  private find(parts: readonly string[], follows = false): Node | undefined {
    const trail = this.walk(parts, follows);
    return trail?.at(-1);
  }

  /** The folder at a path, made where it is missing; also in place of what is none. */
  private folderAt(parts: readonly string[]): Node {
    return this.walk(parts, true, true)?.at(-1) ?? this.root;
  }

  private walk(parts: readonly string[], follows: boolean, makes = false): Node[] | undefined {
    const trail: Node[] = [this.root];
    const left = [...parts].reverse();
    let links = 0;
    let steps = 0;
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      steps += 1;
      if (steps > maxSteps) {
        throw new BerthError('bad_request', `The image has too long a way at ${JSON.stringify(name)}.`);
      }
      const at = trail.at(-1) ?? this.root;
      if (makes) {
        this.touch(at);
      }
      const child = at.children.get(name);
      if (name === '..') {
        trail.length = Math.max(1, trail.length - 1);
      } else if (child?.inode.kind === 'symlink' && (follows || left.length > 0)) {
        links += 1;
        if (links > maxLinks) {
          throw new BerthError('bad_request', `The image has a loop of links at ${JSON.stringify(name)}.`);
        }
        const target = child.inode.target ?? '';
        trail.length = target.startsWith('/') ? 1 : trail.length;
        left.push(
          ...target
            .split('/')
            .filter((part) => part !== '' && part !== '.')
            .reverse(),
        );
      } else if (child !== undefined && (!makes || child.inode.kind === 'directory')) {
        trail.push(child);
      } else if (makes) {
        const made = this.node(folder());
        at.children.set(name, made);
        trail.push(made);
      } else {
        return undefined;
      }
    }
    if (makes) {
      this.touch(trail.at(-1) ?? this.root);
    }
    return trail;
  }

  private hideBelow(node: Node): void {
    const waiting = [node];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next.opaque === this.layer) {
        continue;
      }
      next.opaque = this.layer;
      for (const [name, child] of next.children) {
        if (child.layer === this.layer) {
          waiting.push(child);
        } else {
          next.children.delete(name);
        }
      }
    }
  }

  private touch(node: Node): void {
    node.layer = this.layer;
  }

  private node(inode: NewInode): Node {
    this.made += 1;
    if (this.made > maxNodes) {
      throw new BerthError('too_large', `The image has more than ${maxNodes} files.`);
    }
    const children = inode.kind === 'directory' ? new Map<string, Node>() : childless;
    return { inode, children, layer: this.layer };
  }
}

/** A name for people: the beginning of a long one, so that what is said of it is read as well. */
export function shown(name: string): string {
  return JSON.stringify(name.length > maxShownChars ? `${name.slice(0, maxShownChars)}…` : name);
}

function bytesOf(parts: readonly string[], { target = '', xattrs }: NewInode): number {
  let bytes = (parts.at(-1)?.length ?? 0) + target.length;
  for (const [name, value] of xattrs) {
    bytes += name.length + value.length;
  }
  return bytes;
}
