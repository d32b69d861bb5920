/** A root file system that somebody has made already: a file with ext4 in it, which is copied and never written to. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, rename, rm, stat } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { readSuperblock } from '../../../ext4/fitness';
import { draftOf } from '../../../machine/drafts';
import type { ImageConfig } from '../../../images/image-config';
import { convertDisk } from './convert';
import type { RootSource } from './source';

/** It says nothing about how it is to be run. */
const config: ImageConfig = { env: [], user: '', workdir: '', entrypoint: [], cmd: [] };

/** Known by where it is and when it was written last: to read all of it would take longer than to use it. */
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
      const draft = draftOf(out);
      try {
        if (!(await isCloned(path, draft))) {
          const tell = (share: number): void => {
            progress({ done: Math.round(share * size), total: size, current: path });
          };
          await convertDisk(await qemuImg(), { path, format: 'raw' }, draft, { tell, signal });
        }
        await chmod(draft, 0o600);
        await rename(draft, out);
      } finally {
        await rm(draft, { force: true });
      }
      return { config, warnings: [] };
    },
  };
}

/** Shares the blocks where the file system of the host can. */
async function isCloned(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    await rm(to, { force: true });
    return false;
  }
}
