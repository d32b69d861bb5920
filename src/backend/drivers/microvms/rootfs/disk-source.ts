/** A root file system that somebody has made already: a file with ext4 in it, which is copied and never written to. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { readSuperblock } from '../../../ext4/fitness';
import { cloneFile } from '../../../machine/copies';
import { writeWhole } from '../../../machine/whole-file';
import type { ImageConfig } from '../../../images/image-config';
import { convertDisk } from './convert';
import type { RootSource } from './source';

/** It says nothing about how it is to be run. */
const config: ImageConfig = { env: [], user: '', workdir: '', entrypoint: [], cmd: [] };

/**
 * Known by where it is and when it was written last: to read all of it would take longer than to use it. Throws
 * `image_missing` where there is none, `bad_request` for what is no disk with ext4.
 */
export async function diskSource(path: string, qemuImg: () => Promise<string>): Promise<RootSource> {
  const found = await stat(path).catch((error: unknown) => {
    throw new BerthError('image_missing', `There is no disk image ${path}.`, {
      hint: 'Give the absolute path of a file with an ext4 file system in it, or the name of an image.',
      field: 'image',
      cause: error,
    });
  });
  if (!found.isFile()) {
    throw new BerthError('bad_request', `${path} is not a file.`, {
      hint: 'An OCI image layout is named with `oci:` in front.',
      field: 'image',
    });
  }
  await readSuperblock(path, path).catch((error: unknown) => {
    throw new BerthError('bad_request', `${path} holds no ext4 file system that can be used.`, {
      field: 'image',
      cause: error,
    });
  });
  const { dev, ino, size, mtimeMs } = found;
  const identity = [path, dev, ino, size, mtimeMs].join('\n');
  return {
    digest: `sha256:${createHash('sha256').update(identity).digest('hex')}`,
    make: async (out, { progress, signal }) => {
      const report = (share: number): void => {
        progress({ done: Math.round(share * size), total: size, current: path });
      };
      const copy = async (draft: string): Promise<void> => {
        // Blocks are shared where the file system of the host can.
        if (!(await cloneFile(path, draft))) {
          await convertDisk(await qemuImg(), { path, format: 'raw' }, draft, { report: report, signal });
        }
      };
      // A draft itself, that is synced by who puts it in place.
      await writeWhole(out, copy, { mode: 0o600, isDurable: false });
      return { config, warnings: [] };
    },
  };
}
