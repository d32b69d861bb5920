/** Reads tars into a tree; contents go to flat files of a folder of ours. */
import { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { maxMajor, maxMinor } from '../../../ext4/structures/inode';
import type { NewInode } from './steps';
import { encodeName } from '../../../machine/file-names';
import { takeAll } from '../../../tar/flow';
import { changeTimeOf, dataBytes, type TarEntry } from '../../../tar/header';
import { TarReader } from '../../../tar/read';
import type { ContentSink, TarVisitor } from '../../../tar/visitor';
import type { Contents } from './contents';
import { shown, type Tree } from './tree';
import { throwIfCancelled } from '../../../machine/wait';

/** What a layer says about those below it (OCI image specification, "Image Layer Filesystem Changeset"). */
const whiteout = '.wh.';
const opaque = '.wh..wh..opq';
/** PATH_MAX (linux/limits.h) without the zero at its end. */
const maxTargetBytes = 4095;
/** What ext4 with blocks of 4 KiB holds. */
const maxOwner = 2 ** 32 - 1;
const maxFileBytes = 2 ** 44 - 4096;
/** What a part of a sparse file takes in memory. */
const partBytes = 64;

export interface ReadOptions {
  /** The tar is a layer over what is in the tree: names may hide what lower ones have. */
  isLayer?: boolean;
  signal?: AbortSignal;
}

/** Most files have none: one map for all of them. */
const noAttributes: ReadonlyMap<string, Buffer> = new Map();

const passedOver: ContentSink = {
  piece: () => undefined,
  hole: () => undefined,
  end: () => undefined,
};

class IntoTree implements TarVisitor {
  constructor(
    private readonly tree: Tree,
    private readonly contents: Contents,
    private readonly isLayer: boolean,
  ) {}

  entry(entry: TarEntry, content: Buffer): Promise<void> | undefined {
    const parts = this.tree.partsOf(entry.name);
    if (parts === undefined || (this.isLayer && this.hides(parts))) {
      return undefined;
    }
    if (entry.type === 'link') {
      this.link(entry, parts);
      return undefined;
    }
    const inode = this.inodeOf(entry);
    if (inode?.kind === 'file' && content.length > 0) {
      this.tree.put(parts, { ...inode, pieces: this.contents.keep(content), size: content.length });
      return this.contents.room();
    }
    if (inode !== undefined) {
      this.tree.put(parts, inode);
    }
    return undefined;
  }

  large(entry: TarEntry): ContentSink {
    const parts = this.tree.partsOf(entry.name);
    const inode = this.inodeOf(entry);
    if (parts === undefined || inode?.kind !== 'file' || (this.isLayer && this.hides(parts))) {
      return passedOver;
    }
    this.tree.weigh((entry.sparse?.length ?? 0) * partBytes);
    const { pieces, sink } = this.contents.stream(dataBytes(entry));
    this.tree.put(parts, { ...inode, pieces, size: entry.size });
    return sink;
  }

  /** Undefined, and a warning, for what no file system holds. */
  private inodeOf(entry: TarEntry): NewInode | undefined {
    const inode = inodeOf(entry);
    if (typeof inode === 'string') {
      this.tree.warn(`${shown(entry.name)} ${inode} and was left out.`);
      return undefined;
    }
    for (const name of entry.refused ?? []) {
      const file = shown(entry.name);
      const problem = entry.tooMany?.includes(name) === true ? 'is one too many for a file' : 'is too long';
      this.tree.warn(`The attribute ${JSON.stringify(name)} of ${file} ${problem}, and was left out.`);
    }
    return inode;
  }

  private hides(parts: readonly string[]): boolean {
    const name = parts.at(-1) ?? '';
    if (!name.startsWith(whiteout)) {
      return false;
    }
    const folder = parts.slice(0, -1);
    if (name === opaque) {
      this.tree.hideIn(folder);
    } else if (!name.startsWith(`${whiteout}${whiteout}`)) {
      this.tree.hide([...folder, name.slice(whiteout.length)]);
    }
    return true;
  }

  private link({ name, linkName }: TarEntry, parts: readonly string[]): void {
    const target = this.tree.partsOf(linkName);
    if (target === undefined || !this.tree.link(parts, target)) {
      this.tree.warn(`${shown(name)} is a link to nothing and was left out.`);
    }
  }
}

/** Or why no file system holds it. */
function inodeOf(entry: TarEntry): NewInode | string {
  const { type, mode, uid, gid, size, linkName, special, xattrs } = entry;
  const [mtime, mtimeRest] = changeTimeOf(entry);
  // Of old tars: a folder is a file whose name ends with a slash.
  const isFolder = type === 'directory' || (type === 'file' && entry.name.endsWith('/'));
  const kind = isFolder ? 'directory' : type === 'file' || type === 'symlink' ? type : special?.kind;
  const { major, minor } = special ?? { major: 0, minor: 0 };
  const problem =
    kind === undefined
      ? 'is neither a file, a folder, a link nor a device'
      : major > maxMajor || minor > maxMinor
        ? 'is a device of an impossible number'
        : kind === 'symlink' && !isTarget(linkName)
          ? 'is a link whose target is empty or too long'
          : kind === 'file' && size > maxFileBytes
            ? 'is larger than any disk'
            : uid > maxOwner || gid > maxOwner
              ? 'has an owner of an impossible number'
              : undefined;
  if (problem !== undefined || kind === undefined) {
    return problem ?? '';
  }
  return {
    ...{ kind, mode: mode & 0o7777, uid, gid, size: 0 },
    mtime,
    mtimeRest,
    xattrs: xattrs ?? noAttributes,
    ...(kind === 'symlink' && { target: linkName }),
    ...((kind === 'character' || kind === 'block') && { device: { major, minor } }),
  };
}

function isTarget(linkName: string): boolean {
  return linkName !== '' && !linkName.includes('\0') && encodeName(linkName).length <= maxTargetBytes;
}

/** Fails with the error of the tar, or when it is cancelled. */
export async function readTar(
  tar: Readable,
  tree: Tree,
  contents: Contents,
  { isLayer = false, signal }: ReadOptions = {},
): Promise<void> {
  const reader = new TarReader(new IntoTree(tree, contents, isLayer));
  const cancel = (): void => void tar.destroy(new BerthError('cancelled', 'Cancelled.'));
  if (isLayer) {
    tree.beginLayer();
  }
  throwIfCancelled(signal, 'read a tar');
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    await takeAll(tar, (chunk) => reader.push(chunk));
    await contents.settled();
  } catch (error) {
    throw asTarError(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    tar.destroy();
  }
  throwIfCancelled(signal, 'read a tar');
  if (!reader.ended && !reader.isBetween) {
    throw new BerthError('bad_request', 'The tar ends too early: it is damaged or was cut off.');
  }
}

function asTarError(error: unknown): unknown {
  return error instanceof Error && error.message.startsWith('the tar is damaged')
    ? new BerthError('bad_request', `${error.message[0]?.toUpperCase() ?? ''}${error.message.slice(1)}.`, {
        cause: error,
      })
    : error;
}
