/** Images of named disks: made, grown, measured. */
import { chmod, open, rename, rm, stat, truncate } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { BerthError } from '../../../../api/errors';
import { lastLine, runE2fs, type E2fsProgram, type Outcome } from '../../../files/disk/e2fsprogs';
import { makeFit, readSuperblock } from '../../../files/disk/fitness';

export const defaultSizeMiB = 1024;
export const smallestMiB = 1;
export const largestMiB = 1_048_576;
const mebibyte = 1024 * 1024;
const makeTimeoutMs = 120_000;
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
  const outcome = await runE2fs(name, args, what, name === 'mke2fs' ? makeTimeoutMs : growTimeoutMs);
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
  const draft = `${path}.${randomInt(2 ** 47)}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.truncate(sizeMiB * mebibyte);
    } finally {
      await file.close();
    }
    const options = ['-q', '-F', '-t', 'ext4', '-m', '0', '-E', `root_owner=${owner}:${owner}`];
    await program('mke2fs', [...options, draft], 'make a disk');
    await chmod(draft, 0o600);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Makes a detached disk larger, and its file system with it; as it was when that fails. */
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
  await program('e2fsck', ['-f', '-p', path], 'check the disk', [0, 1]);
  const undo = `${path}.undo`;
  await rm(undo, { force: true });
  try {
    await truncate(path, sizeMiB * mebibyte);
    await program('resize2fs', ['-z', undo, path], 'grow the disk');
    await program('e2fsck', ['-f', '-n', path], 'check the grown disk');
  } catch (error) {
    await program('e2undo', ['-f', undo, path], 'undo the growth').catch(() => undefined);
    await truncate(path, size);
    throw error;
  } finally {
    await rm(undo, { force: true });
  }
}

/** Bytes that files and the file system itself take, as the superblock has them. */
export async function usedBytes(volume: string, path: string): Promise<number> {
  const { blocks, freeBlocks, blockSize } = await readSuperblock(volume, path);
  return (blocks - freeBlocks) * blockSize;
}
