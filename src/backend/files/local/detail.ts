/** Gives the nodes of a local tree what only a closer look at the files tells: attributes and holes. */
import { open } from 'node:fs/promises';
import { sparseParts } from '../../tar/holes';
import { inspectLocal } from './facts';
import { capability } from '../../tar/losses';
import type { LocalNode } from './tree';
import { localPath } from '../../machine/file-names';

const piece = 1024 * 1024;
const block = 4096;
const zeros = Buffer.alloc(block);

/** False where nobody can tell of attributes. `dropped` gets files whose capabilities stay behind. */
export async function addDetail(
  nodes: readonly LocalNode[],
  signal: AbortSignal,
  dropped: (node: LocalNode) => void,
): Promise<boolean> {
  const asked = nodes.filter(({ type }) => type === 'file' || type === 'directory');
  const found = await inspectLocal(asked, signal);
  for (const [index, node] of asked.entries()) {
    const facts = found?.get(index);
    const xattrs = new Map(facts?.xattrs);
    if (xattrs.delete(capability)) {
      dropped(node);
    }
    if (xattrs.size > 0) {
      node.xattrs = xattrs;
    }
    if (node.mayHaveHoles) {
      const data = facts?.data ?? (await dataByReading(node, signal));
      const sparse = data && sparseParts(node.size, data);
      if (sparse !== undefined) {
        node.sparse = sparse;
      }
    }
  }
  return found !== undefined;
}

/** Blocks that are more than zeros; undefined for a file that can't be read, which is reported when it is to be sent. */
async function dataByReading(node: LocalNode, signal: AbortSignal): Promise<[number, number][] | undefined> {
  try {
    const file = await open(localPath(node.source), 'r');
    try {
      const buffer = Buffer.allocUnsafe(piece);
      const found: [number, number][] = [];
      for (let at = 0; at < node.size;) {
        signal.throwIfAborted();
        const { bytesRead } = await file.read(buffer, 0, piece, at);
        if (bytesRead === 0) {
          break;
        }
        for (let from = 0; from < bytesRead; from += block) {
          const part = buffer.subarray(from, Math.min(bytesRead, from + block));
          if (!part.equals(zeros.subarray(0, part.length))) {
            found.push([at + from, at + from + part.length]);
          }
        }
        at += bytesRead;
      }
      return found;
    } finally {
      await file.close();
    }
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
