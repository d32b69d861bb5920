/** Images of named disks: made, grown, measured. */
import { stat, truncate } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { diskBounds, isWithin, mebibyte } from '../../../../api/rules/sizes';
import { lastLine, runE2fs, type E2fsProgram, type Outcome } from '../../../ext4/e2fsprogs';
import { formatExt4 } from '../../../ext4/format';
import { makeFit, readSuperblock } from '../../../ext4/fitness';
import { usedRanges } from '../../../ext4/used-ranges';
import { cloneFile, copySparse, type CopyWatch } from '../../../machine/copies';
import { writeWhole } from '../../../machine/whole-file';

const growTimeoutMs = 900_000;

/** The size, in MiB, if a disk can have it. Throws `bad_request`. */
export function checkSize(sizeMiB: number): number {
  if (!Number.isInteger(sizeMiB) || !isWithin(sizeMiB, diskBounds)) {
    throw new BerthError(
      'bad_request',
      `invalid volume size ${sizeMiB} MiB: must be between ${diskBounds.minimum} and ${diskBounds.maximum}`,
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
  await writeWhole(path, (draft) => formatExt4(draft, { sizeMiB, owner }), { mode: 0o600 });
}

/**
 * Makes a detached disk larger, and its file system with it: a copy first, which takes its place when it is sound.
 * Throws `bad_request` for a smaller size.
 */
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
  await writeWhole(path, async (draft) => {
    if (!(await cloneFile(path, draft))) {
      await copyDisk(path, draft);
    }
    await program('e2fsck', ['-f', '-p', draft], 'check the disk', [0, 1]);
    await truncate(draft, sizeMiB * mebibyte);
    await program('resize2fs', [draft], 'grow the disk');
    await program('e2fsck', ['-f', '-n', draft], 'check the grown disk');
  });
}

/**
 * A copy of a disk that is sound and that nobody else has. Of many GiB that has few files only these are read; all of it
 * where it can't be told what is used.
 */
export async function copyDisk(from: string, to: string, watch: CopyWatch = {}): Promise<void> {
  let ranges: CopyWatch['ranges'];
  try {
    ranges = usedRanges(from);
  } catch {
    ranges = undefined;
  }
  await copySparse(from, to, { ...watch, ...(ranges !== undefined && { ranges }) });
}

/** Bytes that files take, as the superblock has them, and `df` in a guest. */
export async function usedBytes(volume: string, path: string): Promise<number> {
  return (await readSuperblock(volume, path)).usedBytes;
}
