/** The overlay of a root disk and its base as one raw disk, without files that are to stay behind. */
import { rm } from 'node:fs/promises';
import { asBerthError } from '../../../../api/errors';
import { clearOrphans, makeFit } from '../../../ext4/fitness';
import { redoLogOf } from '../../../ext4/redo-log';
import { DiskWorker } from '../../../files/disk/disk-worker';
import { draftOf } from '../../../machine/drafts';
import { copyDisk } from '../disks/disk-image';
import { convertDisk, type ConvertOptions } from './convert';

const removeTimeoutMs = 10 * 60_000;
/** What a path finds on the way to nothing. */
const notThere = ['path_not_found', 'not_a_directory', 'path_escapes'];

export interface Layer {
  /** For people. */
  name: string;
  /** A qcow2. */
  path: string;
  /** Absolute paths. */
  without: readonly string[];
}

/** Into a new file, fit to be used. Answers what is wrong with its file system that is not mended, in words. */
export async function flattenLayer(
  qemuImg: string,
  { name, path, without }: Layer,
  out: string,
  options: ConvertOptions,
): Promise<string[]> {
  const from = { path, format: 'qcow2' } as const;
  if (without.length === 0) {
    await convertDisk(qemuImg, from, out, options);
    return fit(name, out);
  }
  const whole = draftOf(out);
  try {
    await convertDisk(qemuImg, from, whole, { ...options, isScratch: true });
    const problems = await fit(name, whole);
    await removeFiles(name, whole, without);
    // Blocks that are free have their content still: they are not copied.
    await copyDisk(whole, out, { signal: options.signal });
    return problems;
  } finally {
    await rm(whole, { force: true });
    await rm(redoLogOf(whole), { force: true });
  }
}

async function fit(name: string, path: string): Promise<string[]> {
  await makeFit(name, path);
  const problem = await clearOrphans(name, path);
  return problem === undefined ? [] : [problem];
}

/** By their names, through the links of the system that the disk has. */
async function removeFiles(name: string, path: string, files: readonly string[]): Promise<void> {
  const worker = new DiskWorker(name, { path, isRootDisk: true });
  try {
    await worker.start();
    for (const file of files) {
      const fields = { path: file, recursive: true };
      const asked = worker.channel.request('remove', fields, { timeoutMs: removeTimeoutMs });
      await asked.catch((error: unknown) => {
        if (!notThere.includes(asBerthError(error).code)) {
          throw error;
        }
      });
    }
  } finally {
    await worker.end();
  }
}
