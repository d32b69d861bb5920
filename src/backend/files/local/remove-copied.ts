/** The end of a move from this machine: what was copied goes, and nothing else. */
import { lstat, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../../machine/files';
import { localPath } from '../../machine/file-names';
import { reasonOf, type LocalNode } from './tree';

/** Something that is still there, and why. */
export interface Kept {
  /** Of which it is, or is in. */
  node: LocalNode;
  path: string;
  reason: string;
}

/**
 * Removes the originals of a walk, what is in folders first. What was written to since the walk stays, and so do folders
 * with something that has come into them. Whoever may not remove one file of a folder is told of the folder, once.
 */
export async function removeCopied(nodes: readonly LocalNode[]): Promise<Kept[]> {
  const kept: Kept[] = [];
  const full = new Set<string>();
  for (const node of nodes.toReversed()) {
    const { source, type } = node;
    try {
      if (type === 'directory' && full.has(source)) {
        full.add(dirname(source));
      } else if (type === 'directory') {
        await rmdir(localPath(source));
      } else if (await isAsCopied(node)) {
        await rm(localPath(source));
      } else {
        kept.push({ node, path: source, reason: 'copied, but not removed: it has changed since' });
        full.add(dirname(source));
      }
    } catch (error) {
      if (isErrno(error, 'ENOENT')) {
        continue;
      }
      full.add(dirname(source));
      const reason = isErrno(error, 'ENOTEMPTY', 'EEXIST')
        ? 'something has come into it since'
        : isErrno(error, 'EACCES', 'EPERM', 'EROFS')
          ? 'you may not remove it, or what is in it'
          : reasonOf(error);
      const path = type === 'directory' ? source : dirname(source);
      kept.push({ node, path, reason: `copied, but not removed: ${reason}` });
    }
  }
  return kept;
}

async function isAsCopied({ source, type, size, mtimeNs }: LocalNode): Promise<boolean> {
  const now = await lstat(localPath(source), { bigint: true });
  return now.mtimeNs === mtimeNs && (type !== 'file' || Number(now.size) === size);
}
