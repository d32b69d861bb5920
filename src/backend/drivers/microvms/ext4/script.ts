/**
 * The commands that put a tree into an empty ext4 image (debugfs(8) of e2fsprogs ≥ 1.46). Contents are flat files with
 * names of ours: nothing of the tree is ever unpacked on this machine.
 */
import { posix } from 'node:path';
import type { Inode, Tree } from './tree';

const typeBits: Record<Inode['kind'], number> = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  fifo: 0o010000,
  character: 0o020000,
  block: 0o060000,
};
/** What debugfs gives a new folder. A new file gets the mode of its content here, which our umask has a say in. */
const defaultMode: Partial<Record<Inode['kind'], number>> = { directory: 0o755 };

/** In double quotes; a double quote is doubled (libss, parse.c). */
function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** mknod alone takes no path. */
function* node(path: string, what: string): Generator<string> {
  yield `cd ${quote(`/${posix.dirname(path)}`)}`;
  yield `mknod ${quote(posix.basename(path))} ${what}`;
  yield 'cd /';
}

function* make(path: string, inode: Inode, empty: string): Generator<string> {
  const name = quote(`/${path}`);
  switch (inode.kind) {
    case 'directory':
      if (path !== '') {
        yield `mkdir ${name}`;
      }
      break;
    case 'file':
      yield `write ${quote(inode.content ?? empty)} ${name}`;
      break;
    case 'symlink':
      yield `symlink ${name} ${quote(inode.target ?? '')}`;
      break;
    case 'fifo':
      yield* node(path, 'p');
      break;
    case 'character':
    case 'block': {
      const { major, minor } = inode.device ?? { major: 0, minor: 0 };
      yield* node(path, `${inode.kind === 'block' ? 'b' : 'c'} ${major} ${minor}`);
    }
  }
}

function* attributes(path: string, inode: Inode, values: ReadonlyMap<Buffer, string>): Generator<string> {
  const name = quote(`/${path}`);
  const set = (field: string, value: string | number) => `set_inode_field ${name} ${field} ${value}`;
  if (inode.kind !== 'symlink' && inode.mode !== defaultMode[inode.kind]) {
    yield set('mode', `0${(typeBits[inode.kind] | inode.mode).toString(8)}`);
  }
  if (inode.uid !== 0) {
    yield set('uid', inode.uid);
  }
  if (inode.gid !== 0) {
    yield set('gid', inode.gid);
  }
  if (inode.kind !== 'directory') {
    yield set('mtime', `@${inode.mtime}`);
  }
  for (const [attribute, value] of inode.xattrs) {
    yield `ea_set -f ${quote(values.get(value) ?? '')} ${name} ${attribute}`;
  }
}

/** `values`: the files that hold the values of extended attributes. */
export function* commands(
  tree: Tree,
  files: { empty: string; values: ReadonlyMap<Buffer, string> },
): Generator<string> {
  const first = new Map<Inode, string>();
  const links = new Map<string, number>();
  for (const [path, inode] of tree.entries()) {
    const known = first.get(inode);
    if (known !== undefined) {
      yield `ln ${quote(`/${known}`)} ${quote(`/${path}`)}`;
      links.set(known, (links.get(known) ?? 1) + 1);
      continue;
    }
    first.set(inode, path);
    yield* make(path, inode, files.empty);
    yield* attributes(path, inode, files.values);
  }
  for (const [path, count] of links) {
    yield `set_inode_field ${quote(`/${path}`)} links_count ${count}`;
  }
  // Last: what was put in has changed them.
  for (const [path, inode] of tree.entries()) {
    if (inode.kind === 'directory') {
      yield `set_inode_field ${quote(`/${path}`)} mtime @${inode.mtime}`;
    }
  }
}
