/** Changes as a tree of folders, as the source-control view has it. Free of `vscode`. */
import type { Change, ChangeKind } from '../../api';

export type ChangeCounts = Record<ChangeKind, number>;

/** A folder in which something has changed, or a change; a folder that is new is both. */
export interface ChangeNode {
  path: string;
  name: string;
  change?: Change;
  children: Map<string, ChangeNode>;
  /** Of what is below it. */
  counts: ChangeCounts;
}

/** A row: several folders that have nothing else in them are one. */
export interface CompactNode {
  /** The first of them: all that is below it belongs to the row. */
  top: ChangeNode;
  /** The last of them, whose children are those of the row. */
  node: ChangeNode;
  /** E.g. `src/lib`. */
  label: string;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const none: ChangeCounts = { added: 0, removed: 0, changed: 0, type: 0, metadata: 0 };

function nodeOf(path: string, name: string): ChangeNode {
  return { path, name, children: new Map(), counts: { ...none } };
}

export class ChangeNodes {
  readonly root = nodeOf('/', '');
  total = 0;

  add(changes: readonly Change[]): void {
    for (const change of changes) {
      this.total++;
      let node = this.root;
      for (const [at, name] of change.path.split('/').entries()) {
        if (name === '') {
          continue;
        }
        node.counts[change.kind]++;
        const known = node.children.get(name);
        const path = change.path
          .split('/')
          .slice(0, at + 1)
          .join('/');
        const child = known ?? nodeOf(path, name);
        node.children.set(name, child);
        node = child;
      }
      node.change = change;
    }
  }
}

/** What is in a folder: folders first, then by name. */
export function childrenOf(node: ChangeNode): CompactNode[] {
  return [...node.children.values()].map(compact).sort(byKindAndName);
}

function byKindAndName(one: CompactNode, other: CompactNode): number {
  return (
    Number(isFolder(other.node)) - Number(isFolder(one.node)) || collator.compare(one.label, other.label)
  );
}

/** Whether it has rows below it, or is a folder itself. */
export function isFolder({ children, change }: ChangeNode): boolean {
  return children.size > 0 || (change?.after ?? change?.before)?.type === 'directory';
}

function compact(top: ChangeNode): CompactNode {
  const names = [top.name];
  let node = top;
  for (;;) {
    const [only, ...others] = node.children.values();
    const isOne = only !== undefined && others.length === 0 && isFolder(only);
    if (!isOne || (node.change !== undefined && node.change.kind !== only.change?.kind)) {
      return { top, node, label: names.join('/') };
    }
    names.push(only.name);
    node = only;
  }
}

/** All changes at and below these, each once, in no order. */
export function changesBelow(nodes: readonly ChangeNode[]): Change[] {
  const found = new Set<Change>();
  const left = [...nodes];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.change !== undefined) {
      found.add(node.change);
    }
    left.push(...node.children.values());
  }
  return [...found];
}

/** How many of each kind. */
export function countChanges(changes: readonly Change[]): ChangeCounts {
  const counts = { ...none };
  changes.forEach(({ kind }) => counts[kind]++);
  return counts;
}

/** E.g. `+12 −1 ~3`: what is new, what is gone, and what has changed in any way. */
export function shortCounts({ added, removed, changed, type, metadata }: ChangeCounts): string {
  const parts: [string, number][] = [
    ['+', added],
    ['−', removed],
    ['~', changed + type + metadata],
  ];
  return parts.flatMap(([sign, count]) => (count === 0 ? [] : [`${sign}${count}`])).join(' ');
}
