/** Empty ext4 file systems in new, sparse files. */
import { open } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { lastLine, runE2fs } from '../../../files/disk/e2fsprogs';

const mebibyte = 1024 ** 2;
const block = 4096;
const makeTimeoutMs = 120_000;
/** Below, whole blocks of 4 KiB would leave hardly any room. */
const smallMiB = 16;

export interface FormatOptions {
  sizeMiB: number;
  /** User and group of the root directory. */
  owner?: number;
  label?: string;
  uuid?: string;
}

/** Fails when there is such a file already. */
export async function formatExt4(path: string, options: FormatOptions): Promise<void> {
  const { sizeMiB, owner = 0, label, uuid } = options;
  const file = await open(path, 'wx', 0o600);
  try {
    await file.truncate(sizeMiB * mebibyte);
  } finally {
    await file.close();
  }
  const naming = [
    ...(label === undefined ? [] : ['-L', label]),
    ...(uuid === undefined ? [] : ['-U', uuid]),
    ...(sizeMiB < smallMiB ? [] : ['-b', String(block)]),
  ];
  const make = (extended: string) =>
    runE2fs(
      'mke2fs',
      ['-q', '-F', '-t', 'ext4', '-m', '0', '-E', extended, ...naming, path],
      'make a file system',
      makeTimeoutMs,
    );
  // Otherwise by chance: names in folders are ordered by it.
  const seed = uuid === undefined ? '' : `,hash_seed=${uuid}`;
  const ownership = `root_owner=${owner}:${owner}${seed}`;
  // A new file is all zeros already: then neither we nor a guest need to write tables. Known since 1.47.
  let outcome = await make(`${ownership},assume_storage_prezeroed=1`);
  if (outcome.exitCode !== 0) {
    outcome = await make(ownership);
  }
  if (outcome.exitCode !== 0) {
    throw new BerthError('internal', `Could not make a file system: ${lastLine(outcome)}`);
  }
}
