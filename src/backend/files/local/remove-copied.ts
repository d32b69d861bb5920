/** The end of a move from this machine: what was copied goes, and nothing else. */
import { lstat, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../../machine/files';
import { localPath } from '../../machine/file-names';
import { keptReasons, notRemoved, type Kept } from '../kept';
import { reasonOf, type LocalNode } from './tree';

interface KeptNode extends Kept {
  /** Of which it is, or is in. */
  node: LocalNode;
}

/**
 * Removes the originals of a walk, what is in folders first. What was written to since the walk stays, and so do folders
 * with something that has come into them. Whoever may not remove one file of a folder is told of the folder, once.
 */
export async function removeCopied(nodes: readonly LocalNode[]): Promise<KeptNode[]> {
  const kept: KeptNode[] = [];
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
        kept.push({ node, path: source, reason: keptReasons.changed });
        full.add(dirname(source));
      }
    } catch (error) {
      if (isErrno(error, 'ENOENT')) {
        continue;
      }
      full.add(dirname(source));
      const reason = isErrno(error, 'ENOTEMPTY', 'EEXIST')
        ? keptReasons.filled
        : isErrno(error, 'EACCES', 'EPERM', 'EROFS')
          ? notRemoved('you may not remove it, or what is in it')
          : notRemoved(reasonOf(error));
      const path = type === 'directory' ? source : dirname(source);
      kept.push({ node, path, reason });
    }
  }
  return kept;
}

async function isAsCopied({ source, type, size, mtimeNs }: LocalNode): Promise<boolean> {
  const now = await lstat(localPath(source), { bigint: true });
  return now.mtimeNs === mtimeNs && (type !== 'file' || Number(now.size) === size);
}
