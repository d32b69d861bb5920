/** A tree in the order in which a new file system is filled: folder by folder, each after the one that it is in. */
import type { Child, FolderStep, NewInode } from './steps';
import type { Node, Tree } from './tree';

const childrenAtOnce = 1000;

/** Every inode has a number; what it is comes with its first name. */
class Numbers {
  private readonly known = new Map<NewInode, number>();

  constructor(root: NewInode) {
    this.known.set(root, 0);
  }

  child(name: string, { inode }: Node): Child {
    const known = this.known.get(inode);
    if (known !== undefined) {
      return { name, id: known };
    }
    const id = this.known.size;
    this.known.set(inode, id);
    return { name, id, made: forThread(inode) };
  }

  of(inode: NewInode): number {
    return this.known.get(inode) ?? 0;
  }
}

/** A value that is a part of a large buffer would be sent with all of that. */
function forThread(inode: NewInode): NewInode {
  return inode.xattrs.size === 0
    ? inode
    : { ...inode, xattrs: new Map([...inode.xattrs].map(([name, value]) => [name, new Uint8Array(value)])) };
}

/** One step for each folder. */
export function* fillSteps(tree: Tree): Generator<FolderStep> {
  const numbers = new Numbers(tree.root.inode);
  for (const [path, node] of tree.folders()) {
    const folder = { path: path === '' ? '' : `/${path}`, id: numbers.of(node.inode) };
    let made = node === tree.root ? { made: forThread(node.inode) } : {};
    let children: Child[] = [];
    for (const [name, child] of node.children) {
      if (children.length === childrenAtOnce) {
        yield { ...folder, ...made, children, isLast: false };
        made = {};
        children = [];
      }
      children.push(numbers.child(name, child));
    }
    yield { ...folder, ...made, children, isLast: true };
  }
}
