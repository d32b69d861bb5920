/** Images of named disks: made, grown, measured. */
import { constants } from 'node:fs';
import { chmod, copyFile, open, rm, stat, truncate } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { lastLine, runE2fs, type E2fsProgram, type Outcome } from '../../../ext4/e2fsprogs';
import { formatExt4 } from '../../../ext4/format';
import { makeFit, readSuperblock } from '../../../ext4/fitness';
import { draftOf } from '../../../machine/drafts';
import { renameDurably, syncFile } from '../../../machine/files';

export const defaultSizeMiB = 1024;
export const smallestMiB = 1;
export const largestMiB = 1_048_576;
const mebibyte = 1024 * 1024;
const growTimeoutMs = 900_000;

export function checkSize(sizeMiB: number): number {
  if (!Number.isInteger(sizeMiB) || sizeMiB < smallestMiB || sizeMiB > largestMiB) {
    throw new BerthError(
      'bad_request',
      `invalid volume size ${sizeMiB} MiB: must be between ${smallestMiB} and ${largestMiB}`,
      { field: 'sizeMiB' },
    );
  }
  return sizeMiB;
}

async function program(
  name: E2fsProgram,
  args: readonly string[],
  what: string,
  fine: readonly number[] = [0],
): Promise<Outcome> {
  const outcome = await runE2fs(name, args, what, growTimeoutMs);
  if (!fine.includes(outcome.exitCode)) {
    throw new BerthError(
      'internal',
      `Could not ${what}: ${name} ended with ${outcome.exitCode}: ${lastLine(outcome)}`,
    );
  }
  return outcome;
}

/** An empty, sparse disk whose root belongs to `owner`; there as a whole or not at all. */
export async function makeDisk(path: string, sizeMiB: number, owner: number): Promise<void> {
  const draft = draftOf(path);
  try {
    await formatExt4(draft, { sizeMiB, owner });
    await chmod(draft, 0o600);
    await syncFile(draft);
    await renameDurably(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Makes a detached disk larger, and its file system with it: a copy first, which takes its place when it is sound. */
export async function growDisk(volume: string, path: string, sizeMiB: number): Promise<void> {
  const { size } = await stat(path);
  if (sizeMiB * mebibyte < size) {
    throw new BerthError(
      'bad_request',
      `The volume ${volume} has ${size / mebibyte} MiB: a disk can only grow.`,
      {
        field: 'sizeMiB',
        hint: 'Make a smaller volume and copy the files over.',
      },
    );
  }
  await makeFit(volume, path);
  const draft = draftOf(path);
  try {
    await copySparse(path, draft);
    await program('e2fsck', ['-f', '-p', draft], 'check the disk', [0, 1]);
    await truncate(draft, sizeMiB * mebibyte);
    await program('resize2fs', [draft], 'grow the disk');
    await program('e2fsck', ['-f', '-n', draft], 'check the grown disk');
    await syncFile(draft);
    await renameDurably(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Shares the blocks where the file system of the host can; else holes stay holes. */
async function copySparse(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return;
  } catch {
    await rm(to, { force: true });
  }
  const source = await open(from, 'r');
  const target = await open(to, 'wx', 0o600).catch(async (error: unknown) => {
    await source.close();
    throw error;
  });
  try {
    const piece = Buffer.allocUnsafeSlow(mebibyte);
    const zeros = Buffer.alloc(mebibyte);
    const { size } = await source.stat();
    await target.truncate(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await source.read(piece, 0, mebibyte, at);
      if (bytesRead === 0) {
        break;
      }
      if (piece.compare(zeros, 0, bytesRead, 0, bytesRead) !== 0) {
        await target.write(piece, 0, bytesRead, at);
      }
      at += bytesRead;
    }
    await target.sync();
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

/** Bytes that files take, as the superblock has them, and `df` in a guest. */
export async function usedBytes(volume: string, path: string): Promise<number> {
  return (await readSuperblock(volume, path)).usedBytes;
}
