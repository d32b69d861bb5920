/**
 * The base of a runtime's root disk: the file system of its image, which the overlay lies over. It belongs to the
 * runtime: a name of its own in the runtime's folder keeps it when the cache is cleared or shared, and its identity on
 * record has a missing or different one refused before any program opens both.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { BerthError } from '../../../../api/errors';
import { superblockOffset, superblockSize } from '../../../ext4/structures/superblock';
import { isErrno } from '../../../machine/files';
import type { Log } from '../../../machine/log';
import type { RootImage, RootImages } from '../parts';
import type { RuntimeFiles } from '../runtimes/runtime-files';
import type { BaseIdentity, RuntimeRecord } from '../runtimes/runtime-record';
import type { RuntimeStore } from '../runtimes/runtime-store';
import { convertDisk } from './convert';
import { makeOverlay, nameBase, readOverlay, readOwnStart } from './overlay';
import { keepFile } from '../../../machine/publish';

/** In the superblock (`s_uuid` of the kernel's ext4.h). */
const uuidOffset = 0x68;
const uuidBytes = 16;
const never = new AbortController().signal;

export interface BasesDeps {
  store: RuntimeStore;
  images: Pick<RootImages, 'known'>;
  qemuImg: () => Promise<string>;
  log: Log;
}

export class Bases {
  constructor(private readonly deps: BasesDeps) {}

  /** The root disk of a new runtime, over an image in the cache. Throws `internal` where it vanished meanwhile. */
  async make(image: RootImage, files: RuntimeFiles): Promise<BaseIdentity> {
    const { qemuImg } = this.deps;
    await this.keep(image.path, files.base);
    const identity = await identify(files.base);
    if (identity === undefined) {
      throw new BerthError('internal', `${files.base} vanished while it was made.`);
    }
    await makeOverlay(await qemuImg(), files.base, files.rootfs);
    return identity;
  }

  /**
   * To be called before anything opens the root disk: it lies over the very file that it was made over, or this
   * throws. Runtimes of earlier versions get their base to themselves here.
   */
  async require(record: RuntimeRecord): Promise<void> {
    const { store, qemuImg } = this.deps;
    const { name } = record.plan;
    const files = store.files.of(name);
    const { backing } = await readOverlay(files.rootfs).catch((error: unknown) => {
      throw isErrno(error, 'ENOENT') ? diskGone(name, files.rootfs, error) : error;
    });
    const own = await this.ownBase(record, files, backing);
    if (backing !== files.base) {
      await nameBase(await qemuImg(), files.base, files.rootfs);
    }
    if (record.base === undefined) {
      await store.change(name, { base: own });
    }
  }

  /** The base in the runtime's folder, found again where it is not there. */
  private async ownBase(
    record: RuntimeRecord,
    files: RuntimeFiles,
    backing: string | undefined,
  ): Promise<BaseIdentity> {
    const { name } = record.plan;
    const fits = await this.expectation(record, files);
    const own = await identify(files.base);
    if (own !== undefined) {
      if (!fits(own)) {
        throw different(name, files.base);
      }
      return own;
    }
    const cached = (await this.deps.images.known(record.imageId))?.path;
    let other: string | undefined;
    for (const candidate of [backing, cached]) {
      const found = candidate === undefined ? undefined : await identify(candidate);
      if (candidate !== undefined && found !== undefined) {
        if (fits(found)) {
          await this.keep(candidate, files.base);
          this.deps.log.info({ name, from: candidate }, 'the base of a root disk is the runtime’s own now');
          return found;
        }
        other = candidate;
      }
    }
    throw other === undefined ? missing(name, backing ?? files.base) : different(name, other);
  }

  /**
   * By the identity on record. Older records have none: then the disk itself tells, as a guest that has mounted it
   * wrote the superblock with the UUID of the base; one that never did fits any base of its image.
   */
  private async expectation(
    { base }: RuntimeRecord,
    files: RuntimeFiles,
  ): Promise<(found: BaseIdentity) => boolean> {
    if (base !== undefined) {
      return (found) =>
        found.bytes === base.bytes && found.uuid === base.uuid && found.superblock === base.superblock;
    }
    const written = await readOwnStart(files.rootfs, superblockOffset + uuidOffset, uuidBytes);
    return (found) => written === undefined || found.uuid === written.toString('hex');
  }

  private async keep(from: string, to: string): Promise<void> {
    const { qemuImg } = this.deps;
    await keepFile(from, to, async (source, copy) => {
      const options = { report: () => undefined, signal: never };
      await convertDisk(await qemuImg(), { path: source, format: 'raw' }, copy, options);
    });
  }
}

/** Who a base is: it is never written to, so its superblock is always the same. Undefined when there is none. */
export async function identify(path: string): Promise<BaseIdentity | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  });
  if (file === undefined) {
    return undefined;
  }
  try {
    const { size } = await file.stat();
    const superblock = Buffer.alloc(superblockSize);
    await file.read(superblock, 0, superblockSize, superblockOffset);
    return {
      bytes: size,
      uuid: superblock.subarray(uuidOffset, uuidOffset + uuidBytes).toString('hex'),
      superblock: createHash('sha256').update(superblock).digest('hex'),
    };
  } finally {
    await file.close();
  }
}

const rebuildHint =
  'Put the file back, e.g. from a backup. Else rebuild the workspace: volumes stay, what was installed outside of them is lost.';

function diskGone(name: string, path: string, cause: unknown): BerthError {
  const hint = 'Rebuild the workspace: volumes stay, what was installed outside of them is lost.';
  return new BerthError('gone', `The root disk of ${name} is gone: ${path}.`, { hint, cause });
}

function missing(name: string, path: string): BerthError {
  const message = `The root disk of ${name} lies over a file that is not there any more: ${path}.`;
  return new BerthError('gone', message, { hint: rebuildHint });
}

function different(name: string, path: string): BerthError {
  const message = `The root disk of ${name} does not lie over ${path}: that is another file system than it was made with.`;
  return new BerthError('illegal_state', message, { hint: rebuildHint });
}
