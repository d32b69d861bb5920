/** Reads what is below URIs of other file systems, which VS Code alone reaches: those of a remote window. */
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import type { Task } from '../../ui/runner';
import { baseName } from '../../api/rules/volume-path';
import { maxWholeBytes } from '../files/editor-size';
import type { ComingFacts } from './conflicts';
import { inParallel } from './in-parallel';
import type { Incoming } from './stream-in';

const { t } = vscode.l10n;
const { Directory, File, SymbolicLink } = vscode.FileType;
const parallel = 8;
/** A file system that does not tell its links lets one walk in circles. */
const maxDepth = 64;

export interface ForeignTree {
  incoming: Incoming[];
  /** What can't be brought, with the reason, a line each. */
  left: string[];
}

interface Found {
  uri: vscode.Uri;
  name: string;
  type: vscode.FileType;
  depth: number;
}

/**
 * Links to files come as what they lead to, links to folders don't come: they may lead back. What can't be read is
 * left, and the rest goes on.
 */
export async function readForeign(
  uris: readonly vscode.Uri[],
  task: Pick<Task, 'signal' | 'report'>,
): Promise<ForeignTree> {
  const tree: ForeignTree = { incoming: [], left: [] };
  const pace = { atOnce: parallel, signal: task.signal };
  let level: Found[] = [];
  const given = uris.map((uri) => ({ uri, name: baseName(uri.path) }));
  await inParallel(given, pace, async ({ uri, name }) => {
    await orLeft(tree, name, async () => {
      const { type } = await vscode.workspace.fs.stat(uri);
      // What was given itself is meant, also when it is a link.
      level.push({ uri, name, type: type & ~SymbolicLink, depth: 0 });
    });
  });
  while (level.length > 0) {
    const below: Found[] = [];
    await inParallel(level, pace, async (found) => {
      below.push(...(await take(tree, found)));
      task.report(t('{0} files and folders found', tree.incoming.length));
    });
    level = below;
  }
  return tree;
}

/** Adds one thing; answers what is in it. */
async function take(tree: ForeignTree, { uri, name, type, depth }: Found): Promise<Found[]> {
  if ((type & Directory) === 0) {
    if ((type & File) === 0) {
      tree.left.push(t('{0}: it is neither a file nor a folder.', name));
    } else {
      tree.incoming.push({ name, read: () => readWhole(uri), facts: () => factsOf(uri) });
    }
    return [];
  }
  if ((type & SymbolicLink) !== 0) {
    tree.left.push(t('{0}: a link to a folder is not followed.', name));
    return [];
  }
  if (depth >= maxDepth) {
    tree.left.push(t('{0}: it is more than {1} folders deep.', name, maxDepth));
    return [];
  }
  return orLeft(tree, name, async () => {
    const entries = await vscode.workspace.fs.readDirectory(uri);
    tree.incoming.push({ name });
    return entries.map(([child, childType]) => ({
      uri: vscode.Uri.joinPath(uri, child),
      name: `${name}/${child}`,
      type: childType,
      depth: depth + 1,
    }));
  });
}

async function factsOf(uri: vscode.Uri): Promise<ComingFacts> {
  const { size, mtime } = await vscode.workspace.fs.stat(uri);
  return { size, mtimeMs: mtime };
}

async function readWhole(uri: vscode.Uri): Promise<Uint8Array> {
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size > maxWholeBytes) {
    throw new Error(t('It is {0} large, more than VS Code can hand over.', formatBytes(size)));
  }
  return vscode.workspace.fs.readFile(uri);
}

async function orLeft<T>(tree: ForeignTree, name: string, read: () => Promise<T[] | void>): Promise<T[]> {
  try {
    return (await read()) ?? [];
  } catch (error) {
    tree.left.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}
