/** What a tar holds, as a tree of inodes: the last entry of a path counts, and hard links share their inode. */
import { posix } from 'node:path';

export interface Inode {
  kind: 'directory' | 'file' | 'symlink' | 'fifo' | 'character' | 'block';
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Of a file: where its content was put; none when it is empty. */
  content?: string;
  size: number;
  /** Of a symlink. */
  target?: string;
  device?: { major: number; minor: number };
  xattrs: ReadonlyMap<string, Buffer>;
}

const rootDirectory = (): Inode => ({
  kind: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0,
  size: 0,
  xattrs: new Map(),
});

export class Tree {
  /** By path without a leading slash; the root is the empty path. Parents come before their children. */
  private readonly nodes = new Map<string, Inode>([['', rootDirectory()]]);
  readonly warnings: string[] = [];

  /** The path that an entry's name stands for; undefined (and a warning) for one that is none. */
  pathOf(name: string): string | undefined {
    const clean = posix.normalize(`/${name}`).slice(1).replace(/\/$/, '');
    if (name.split('/').includes('..')) {
      this.warnings.push(`${JSON.stringify(name)} leads outside and was left out.`);
      return undefined;
    }
    if (/[\n\r\0]/.test(clean)) {
      this.warnings.push(`${JSON.stringify(name)} has a line break in its name and was left out.`);
      return undefined;
    }
    return clean;
  }

  get(path: string): Inode | undefined {
    return this.nodes.get(path);
  }

  put(path: string, inode: Inode): void {
    const known = this.nodes.get(path);
    if (known?.kind === 'directory' && inode.kind === 'directory') {
      Object.assign(known, inode);
      return;
    }
    if (path === '') {
      return;
    }
    this.makeParents(path);
    if (known !== undefined) {
      this.remove(path);
    }
    this.nodes.set(path, inode);
  }

  /** A second name; false when there is no such file yet. */
  link(path: string, target: string): boolean {
    const inode = this.nodes.get(target);
    if (inode === undefined || inode.kind === 'directory') {
      return false;
    }
    if (path !== target) {
      this.put(path, inode);
    }
    return true;
  }

  /** A path and all below it. */
  remove(path: string): void {
    if (this.nodes.get(path)?.kind === 'directory') {
      const below = `${path}/`;
      for (const other of [...this.nodes.keys()]) {
        if (other.startsWith(below)) {
          this.nodes.delete(other);
        }
      }
    }
    this.nodes.delete(path);
  }

  entries(): IterableIterator<[string, Inode]> {
    return this.nodes.entries();
  }

  get count(): number {
    return this.nodes.size;
  }

  private makeParents(path: string): void {
    const parent = posix.dirname(path);
    if (parent === '.' || this.nodes.get(parent)?.kind === 'directory') {
      return;
    }
    this.makeParents(parent);
    this.nodes.delete(parent);
    this.nodes.set(parent, rootDirectory());
  }
}
