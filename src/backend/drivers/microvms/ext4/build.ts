/** ext4 images from tars: without root, without mounting, and there as a whole or not at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../../../../api/errors';
import { findE2fs } from '../../../files/disk/e2fsprogs';
import { encodeName } from '../../../files/names';
import { draftOf } from '../../../store/drafts';
import { Contents } from './contents';
import { formatExt4 } from './format';
import { readTar } from './read-tar';
import { commands } from './script';
import { Tree } from './tree';
import { throwIfCancelled } from '../../containers/wait';

export interface Ext4BuildOptions {
  /** Of the whole image; content and some room unless given. */
  sizeMiB?: number;
  label?: string;
  uuid?: string;
  signal?: AbortSignal;
  /** Called when all is read. */
  filling?: () => void;
}

const mebibyte = 1024 ** 2;
const block = 4096;
const fillTimeoutMs = 30 * 60_000;
/** Journal, tables, and something to work with. */
const roomMiB = 64;
const complaintsKept = 5;

/** `tar` undefined: an empty file system. Answers what was left out of it. */
export function buildExt4(
  out: string,
  tar: Readable | undefined,
  options: Ext4BuildOptions = {},
): Promise<{ sizeMiB: number; warnings: string[] }> {
  return buildTree(out, options, async (tree, contents) => {
    if (tar !== undefined) {
      await readTar(tar, tree, contents, options);
    }
  });
}

/** The same with whatever `plant` puts into the tree. */
export async function buildTree(
  out: string,
  options: Ext4BuildOptions,
  plant: (tree: Tree, contents: Contents) => Promise<void>,
): Promise<{ sizeMiB: number; warnings: string[] }> {
  const draft = draftOf(out);
  const folder = `${draft}.content`;
  const { signal, sizeMiB: given, label, uuid } = options;
  try {
    await mkdir(folder, { mode: 0o700 });
    const tree = new Tree();
    await plant(tree, new Contents(folder, given === undefined ? undefined : given * mebibyte));
    throwIfCancelled(signal, 'make a disk');
    options.filling?.();
    const sizeMiB = given ?? Math.ceil((contentOf(tree) * 1.1) / mebibyte) + roomMiB;
    await formatExt4(draft, {
      sizeMiB,
      ...(label !== undefined && { label }),
      ...(uuid !== undefined && { uuid }),
    });
    await fill(draft, tree, folder, signal);
    await chmod(draft, 0o600);
    await rename(draft, out);
    return { sizeMiB, warnings: tree.warnings };
  } catch (error) {
    await rm(draft, { force: true });
    throw signal?.aborted === true ? new BerthError('cancelled', 'Cancelled.', { cause: error }) : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes on the disk: whole blocks, and a folder or long link takes one too. */
function contentOf(tree: Tree): number {
  let bytes = 0;
  for (const { size } of tree.inodes()) {
    bytes += Math.ceil(size / block) * block + 768;
  }
  return bytes;
}

async function fill(path: string, tree: Tree, folder: string, signal?: AbortSignal): Promise<void> {
  const empty = join(folder, 'empty');
  await writeFile(empty, '', { mode: 0o644 });
  const values = new Map<Buffer, string>();
  for (const { xattrs } of tree.inodes()) {
    for (const value of xattrs.values()) {
      const file = join(folder, `value-${values.size}`);
      await writeFile(file, value);
      values.set(value, file);
    }
  }
  const script = join(folder, 'script');
  const lines = function* () {
    for (const command of commands(tree, { empty, values })) {
      yield encodeName(`${command}\n`);
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(script, { mode: 0o600 }));
  await runDebugfs(path, script, signal);
}

/** debugfs goes on after an error and exits with 0: what it says on standard error tells. */
async function runDebugfs(path: string, script: string, signal?: AbortSignal): Promise<void> {
  const program = await findE2fs('debugfs');
  if (program === undefined) {
    throw new BerthError('not_supported', 'debugfs is needed to fill a disk, and is not installed.', {
      hint: 'Install e2fsprogs (`apt install e2fsprogs`, `brew install e2fsprogs`), then try again.',
    });
  }
  const child = spawn(program, ['-w', '-f', script, path], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: fillTimeoutMs,
    killSignal: 'SIGKILL',
    ...(signal !== undefined && { signal }),
    env: { ...process.env, LC_ALL: 'C' },
  });
  const complaints: string[] = [];
  let rest = '';
  child.stderr.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    const bad = lines.filter((line) => line.trim() !== '' && !/^debugfs \d/.test(line));
    complaints.push(...bad.slice(0, complaintsKept - complaints.length));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || complaints.length > 0) {
    throw complaint(code, complaints);
  }
}

function complaint(code: number | null, complaints: readonly string[]): BerthError {
  const said = complaints.join('; ');
  return /no free space|could not allocate/i.test(said)
    ? new BerthError('no_space', `The content does not fit into the disk: ${said}`, {
        hint: 'Give the disk a larger size.',
      })
    : new BerthError(
        'internal',
        `Could not fill the disk: ${said === '' ? `debugfs ended with ${code ?? 'a signal'}` : said}`,
      );
}
