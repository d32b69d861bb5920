/** Empty ext4 file systems in new, sparse files. */
import { open } from 'node:fs/promises';
import { BerthError } from '../../api/errors';
import { mebibyte } from '../../api/rules/sizes';
import { lastLine, runE2fs } from './e2fsprogs';

const block = 4096;
const makeTimeoutMs = 120_000;
/** Below, whole blocks of 4 KiB would leave hardly any room. */
const smallMiB = 16;

/** What mke2fs makes by itself (mke2fs.conf); below 512 MiB it is more. */
const bytesPerInode = (sizeMiB: number): number => (sizeMiB < 512 ? 4096 : 16_384);
const spareInodes = 1024;
const labels = /^[A-Za-z0-9][A-Za-z0-9._-]{0,15}$/;
const uuids = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface FormatOptions {
  sizeMiB: number;
  /** User and group of the root directory. */
  owner?: number;
  label?: string;
  uuid?: string;
  /** At least so many, whatever the size. */
  inodes?: number;
}

/** Fails when there is such a file already. Throws `internal` when mke2fs fails. */
export async function formatExt4(path: string, options: FormatOptions): Promise<void> {
  const { sizeMiB, owner = 0, label, uuid, inodes = 0 } = options;
  checkNames(options);
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
    ...(inodes + spareInodes < (sizeMiB * mebibyte) / bytesPerInode(sizeMiB)
      ? []
      : ['-N', String(inodes + spareInodes)]),
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

/** They become arguments of a program. */
function checkNames({ label, uuid }: FormatOptions): void {
  if ((label !== undefined && !labels.test(label)) || (uuid !== undefined && !uuids.test(uuid))) {
    throw new BerthError('bad_request', 'That is no label or UUID of a file system.');
  }
}
