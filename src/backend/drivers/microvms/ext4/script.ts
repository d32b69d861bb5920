/**
 * The commands that put a tree into an empty ext4 image (debugfs(8) of e2fsprogs ≥ 1.46). Contents are flat files with
 * names of ours: nothing of the tree is ever unpacked on this machine. Folder by folder, with names alone: debugfs
 * looks for every path from the current folder on, and walks through each of its parts.
 */
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

/** `<8>` would be an inode's number, and a leading dash an option. */
function own(name: string): string {
  return quote(`./${name}`);
}

function make(name: string, inode: Inode, empty: string): string {
  switch (inode.kind) {
    case 'directory':
      return `mkdir ${own(name)}`;
    case 'file':
      return `write ${quote(inode.content ?? empty)} ${own(name)}`;
    case 'symlink':
      return `symlink ${own(name)} ${quote(inode.target ?? '')}`;
    // It takes a name only.
    case 'fifo':
      return `mknod ${quote(name)} p`;
    case 'character':
    case 'block': {
      const { major, minor } = inode.device ?? { major: 0, minor: 0 };
      return `mknod ${quote(name)} ${inode.kind === 'block' ? 'b' : 'c'} ${major} ${minor}`;
    }
  }
}

function* attributes(place: string, inode: Inode, values: ReadonlyMap<Buffer, string>): Generator<string> {
  const set = (field: string, value: string | number) => `set_inode_field ${place} ${field} ${value}`;
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
    yield `ea_set -f ${quote(values.get(value) ?? '')} ${place} ${attribute}`;
  }
}

/** `values`: the files that hold the values of extended attributes. */
export function* commands(
  tree: Tree,
  files: { empty: string; values: ReadonlyMap<Buffer, string> },
): Generator<string> {
  const first = new Map<Inode, string>();
  const links = new Map<string, number>();
  yield* attributes(quote('/'), tree.root.inode, files.values);
  for (const [folder, { children }] of tree.folders()) {
    yield `cd ${quote(`/${folder}`)}`;
    for (const [name, { inode }] of children) {
      const known = first.get(inode);
      if (known === undefined) {
        first.set(inode, `${folder}/${name}`);
        yield make(name, inode, files.empty);
        yield* attributes(own(name), inode, files.values);
      } else {
        yield `ln ${quote(`/${known}`)} ${own(name)}`;
        links.set(known, (links.get(known) ?? 1) + 1);
      }
    }
  }
  yield 'cd /';
  for (const [path, count] of links) {
    yield `set_inode_field ${quote(`/${path}`)} links_count ${count}`;
  }
  // Last: what was put in has changed them.
  for (const [path, { inode }] of tree.folders()) {
    yield `set_inode_field ${quote(`/${path}`)} mtime @${inode.mtime}`;
  }
}
