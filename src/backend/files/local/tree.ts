/** Walks files of this machine that are to be copied. */
import { lstat as lstatWithCallback, type BigIntStats } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hasSetId, notCopied } from '../../tar/losses';
import { decodeName, localPath, whatIsTooLong } from '../../machine/file-names';
import type { SparsePart } from '../../tar/sparse';

export interface LocalNode {
  /** Where it is, as in machine/file-names.ts. */
  source: string;
  /** What it is to be called, from the target folder: `/`-separated. */
  name: string;
  type: 'file' | 'directory' | 'symlink' | 'link';
  size: number;
  mode: number;
  mtimeMs: number;
  mtimeNs: bigint;
  /** Of another name of a file: the one under which it is sent. */
  linkTarget: string;
  /** The original has set-ID bits, which are not sent. */
  dropsSetId: boolean;
  /** It has fewer blocks than bytes. */
  mayHaveHoles: boolean;
  xattrs?: ReadonlyMap<string, Buffer>;
  /** Of a file with holes: what is sent. */
  sparse?: readonly SparsePart[];
}

export interface LocalTree {
  /** Folders before what is in them. */
  nodes: LocalNode[];
  bytes: number;
  files: number;
  /** What can't be copied: sockets, devices, what may not be read. */
  failed: { path: string; reason: string }[];
}

/** Not the promise API: it takes half as long again, for each file. */
const lstat = promisify(lstatWithCallback);
/** Enough to keep the disk busy. */
const parallel = 64;
/** Windows knows no modes: everything would be 0666. */
const knowsModes = process.platform !== 'win32';

/** Permissions and the sticky bit: no right to become somebody else. */
export const keptBits = 0o1777;

/** Why a file could not be read or written, for a list of those that failed. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const path = error instanceof Error && 'path' in error ? String(error.path) : '';
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'it may not be read',
    EPERM: 'it may not be read',
    ENOENT: 'it is not there',
    ELOOP: 'it is a link to itself',
    ENAMETOOLONG: whatIsTooLong(path),
  };
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}

function nodeOf(source: string, name: string, stats: BigIntStats, linkTarget: string): LocalNode | undefined {
  const type = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : undefined;
  const plain = type === 'directory' ? 0o755 : 0o644;
  return (
    type && {
      source,
      name,
      type,
      size: type === 'file' ? Number(stats.size) : 0,
      mode: knowsModes ? Number(stats.mode) & keptBits : plain,
      dropsSetId: hasSetId({ type, mode: Number(stats.mode) }),
      mtimeMs: Number(stats.mtimeNs / 1000n) / 1000,
      mtimeNs: stats.mtimeNs,
      linkTarget,
      mayHaveHoles: type === 'file' && knowsModes && stats.blocks * 512n < stats.size,
    }
  );
}

/** Names in a folder; bytes are asked for only when the text may not be all there is. */
async function namesIn(folder: string): Promise<string[]> {
  const path = localPath(folder);
  const names = await readdir(path);
  return process.platform === 'linux' && names.some((name) => /[\uFFFD\uEF80-\uEFFF]/.test(name))
    ? (await readdir(path, { encoding: 'buffer' })).map(decodeName)
    : names;
}

class Walk {
  readonly tree: LocalTree = { nodes: [], bytes: 0, files: 0, failed: [] };

  /** The names of files that have several, by device and inode. */
  private readonly linked = new Map<string, string>();

  constructor(private readonly signal: AbortSignal) {}

  /** A link is copied as a link, also when it is named. */
  async top(source: string, name: string): Promise<void> {
    await this.visit(source, name, await lstat(localPath(source), { bigint: true }));
  }

  private async visit(source: string, name: string, stats: BigIntStats): Promise<void> {
    this.signal.throwIfAborted();
    const target = stats.isSymbolicLink()
      ? decodeName(await readlink(localPath(source), { encoding: 'buffer' }))
      : '';
    const node = nodeOf(source, name, stats, target);
    if (node === undefined) {
      this.tree.failed.push({ path: source, reason: notCopied });
      return;
    }
    this.asLink(node, stats);
    this.tree.nodes.push(node);
    if (node.type === 'directory') {
      await this.below(node);
    } else {
      this.tree.files++;
      this.tree.bytes += node.size;
    }
  }

  private asLink(node: LocalNode, stats: BigIntStats): void {
    if (node.type !== 'file' || stats.nlink < 2n) {
      return;
    }
    const key = `${stats.dev}:${stats.ino}`;
    const first = this.linked.get(key);
    if (first === undefined) {
      this.linked.set(key, node.name);
    } else {
      Object.assign(node, { type: 'link', size: 0, linkTarget: first, mayHaveHoles: false });
    }
  }

  private async below(folder: LocalNode): Promise<void> {
    const names = await this.attempt(folder.source, () => namesIn(folder.source));
    for (let at = 0; names !== undefined && at < names.length; at += parallel) {
      const found = await Promise.all(
        names.slice(at, at + parallel).map(async (name) => {
          const source = join(folder.source, name);
          return {
            name,
            source,
            stats: await this.attempt(source, () => lstat(localPath(source), { bigint: true })),
          };
        }),
      );
      for (const { name, source, stats } of found) {
        if (stats !== undefined) {
          await this.attempt(source, () => this.visit(source, `${folder.name}/${name}`, stats));
        }
      }
    }
  }

  private async attempt<T>(source: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      this.signal.throwIfAborted();
      this.tree.failed.push({ path: source, reason: reasonOf(error) });
      return undefined;
    }
  }
}

/** Everything at and below the given places; fails when one of them is not there. */
export async function walkLocal(
  items: readonly { source: string; name: string }[],
  signal: AbortSignal,
): Promise<LocalTree> {
  const walk = new Walk(signal);
  for (const { source, name } of items) {
    await walk.top(source, name);
  }
  return walk.tree;
}
