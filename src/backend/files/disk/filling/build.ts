/** ext4 images from tars: without root, without mounting, and there as a whole or not at all. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../api/errors';
import { mebibyte } from '../../../../api/rules/sizes';
import { fillDisk } from './fill-disk';
import { encodeName } from '../../../machine/file-names';
import { writeWhole } from '../../../machine/whole-file';
import { Contents } from './contents';
import { fillSteps } from './fill-steps';
import { formatExt4 } from '../../../ext4/format';
import { readTar } from './read-tar';
import { Tree } from './tree';
import { throwIfCancelled } from '../../../machine/wait';

export interface Ext4BuildOptions {
  /** Of the whole image; content and some room unless given. */
  sizeMiB?: number;
  label?: string;
  uuid?: string;
  signal?: AbortSignal;
  /** Called when all is read, and for each folder that is written then: bytes of files, and how many there will be. */
  filling?: (done: number, total: number) => void;
}

const block = 4096;
/** In the tables. */
const inodeBytes = 256;
/** Links shorter than that are in their inode. */
const fastTarget = 60;
/** Of a name in a folder, which is not filled to the brim. */
const entryBytes = 24;
/** Journal, tables, and something to work with. */
const roomMiB = 64;

interface Built {
  sizeMiB: number;
  /** In words what was left out. */
  warnings: string[];
  /** How many more there would be. */
  unlisted: number;
}

/** `tar` undefined: an empty file system. Answers what was left out of it. */
export function buildExt4(
  out: string,
  tar: Readable | undefined,
  options: Ext4BuildOptions = {},
): Promise<Built> {
  return buildTree(out, options, async (tree, contents) => {
    if (tar !== undefined) {
      await readTar(tar, tree, contents, options);
    }
  });
}

/** The same with whatever `plant` puts into the tree. Throws `cancelled`, and what `plant` throws. */
export async function buildTree(
  out: string,
  options: Ext4BuildOptions,
  plant: (tree: Tree, contents: Contents) => Promise<void>,
): Promise<Built> {
  try {
    // Whoever keeps it puts it in place, and syncs it then: a disk for one start would only be waited for.
    const make = (draft: string): Promise<Built> => buildDraft(draft, options, plant);
    return await writeWhole(out, make, { mode: 0o600, isDurable: false });
  } catch (error) {
    throw options.signal?.aborted === true
      ? new BerthError('cancelled', 'Cancelled.', { cause: error })
      : error;
  }
}

async function buildDraft(
  draft: string,
  options: Ext4BuildOptions,
  plant: (tree: Tree, contents: Contents) => Promise<void>,
): Promise<Built> {
  const folder = `${draft}.content`;
  const { signal, sizeMiB: given, label, uuid } = options;
  try {
    await mkdir(folder, { mode: 0o700 });
    const tree = new Tree();
    const contents = join(folder, 'content');
    await plantInto(tree, contents, options, plant);
    throwIfCancelled(signal, 'make a disk');
    const { bytes, content, inodes } = needsOf(tree);
    let written = 0;
    const wrote = (more: number): void => {
      written += more;
      options.filling?.(written, content);
    };
    wrote(0);
    const sizeMiB = given ?? Math.ceil((bytes * 1.1) / mebibyte) + roomMiB;
    await formatExt4(draft, {
      ...{ sizeMiB, inodes },
      ...(label !== undefined && { label }),
      ...(uuid !== undefined && { uuid }),
    });
    const left = await fillDisk({ image: draft, contents, signal, wrote }, fillSteps(tree));
    const { leftOut } = tree;
    return { sizeMiB, warnings: [...leftOut.lines, ...left.lines], unlisted: leftOut.more + left.more };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function plantInto(
  tree: Tree,
  path: string,
  { sizeMiB }: Ext4BuildOptions,
  plant: (tree: Tree, contents: Contents) => Promise<void>,
): Promise<void> {
  const contents = await Contents.create(path, sizeMiB === undefined ? undefined : sizeMiB * mebibyte);
  try {
    await plant(tree, contents);
    await contents.settled();
  } finally {
    await contents.close();
  }
}

/** What a tree takes on a disk, a little more rather than less; `content`: what its files hold, in bytes. */
function needsOf(tree: Tree): { bytes: number; content: number; inodes: number } {
  let bytes = 0;
  let content = 0;
  let inodes = 0;
  for (const { kind, pieces = [], target = '', xattrs } of tree.inodes()) {
    inodes++;
    for (const { length } of pieces) {
      content += length;
      bytes += wholeBlocks(length) + (pieces.length > 1 ? block : 0);
    }
    bytes += inodeBytes + (xattrs.size > 0 ? block : 0);
    bytes += kind === 'directory' || target.length >= fastTarget ? block : 0;
  }
  for (const [, { children }] of tree.folders()) {
    for (const name of children.keys()) {
      bytes += entryBytes + 2 * encodeName(name).length;
    }
  }
  return { bytes, content, inodes };
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / block) * block;
}
