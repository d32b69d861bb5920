/**
 * Disk images that belong to the user (`-v /abs/disk.ext4:/mnt`): used where they lie, never changed by us, never
 * deleted. Who has one is noted by the file itself, whatever path it was named by; a holder that provably does not run
 * has it no more.
 */
import { mkdir, open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { BerthError } from '../../../../api/errors';
import { isLockedByKernel } from '../../../files/disk/image-lock';
import { isErrno } from '../../../machine/files';
import { KeyedLock } from '../../../machine/keyed-lock';
import { readValue, writeRecord, type RecordFormat } from '../../../store/records';
import type { DiskHolder, HolderLookup } from '../parts';

/** Of the ext2 family (fs/ext4/ext4.h of Linux): the superblock, its magic number, and a journal that is to be replayed. */
const superblock = { offset: 1024, size: 1024, magicAt: 0x38, incompatibleAt: 0x60 };
const magic = 0xef53;
const needsRecovery = 0x4;

const Attachments = Type.Object({
  images: Type.Array(
    Type.Object({
      path: Type.String(),
      /** Device and inode. */
      file: Type.String(),
      workspace: Type.String(),
      runtime: Type.String(),
    }),
  ),
});
type Attachment = Static<typeof Attachments>['images'][number];
const format: RecordFormat<typeof Attachments> = { version: 1, schema: Attachments, migrations: [] };

export interface UserImagesOptions {
  /** The folder of named volumes. */
  volumes: string;
  holders: Pick<HolderLookup, 'isGone'>;
}

export class UserImages {
  private readonly lock = new KeyedLock();

  constructor(private readonly options: UserImagesOptions) {}

  /** Throws when it could not be attached now. */
  async check(path: string, holder: DiskHolder): Promise<void> {
    await this.lookAt(path, holder);
  }

  /** Its path; nobody else gets it while that runtime runs or is paused. */
  attach(path: string, holder: DiskHolder): Promise<string> {
    return this.lock.run('images', async () => {
      const { file, others } = await this.lookAt(path, holder);
      const { workspace, runtime } = holder;
      await this.write([...others.filter((each) => each.file !== file), { path, file, workspace, runtime }]);
      return path;
    });
  }

  release(runtime: string): Promise<void> {
    return this.lock.run('images', async () => {
      const all = await this.read();
      const others = all.filter((each) => each.runtime !== runtime);
      if (others.length < all.length) {
        await this.write(others);
      }
    });
  }

  private async lookAt(path: string, { runtime, readOnly }: DiskHolder) {
    await this.refuseOurs(path);
    const fileSystem = await readSuperblock(path);
    const { dev, ino } = await stat(path, { bigint: true });
    const file = `${dev}:${ino}`;
    const all = await this.read();
    const holder = all.find((each) => each.file === file && each.runtime !== runtime);
    if (holder !== undefined && !(await this.options.holders.isGone(holder.runtime).catch(() => false))) {
      throw inUse(path, `workspace ${holder.workspace}`);
    }
    await refuseUnfit(path, fileSystem, readOnly);
    return { file, others: all.filter((each) => each.file !== file || each.runtime === runtime) };
  }

  /** Refuses paths to Berth's own disks: mounting by path would bypass the checks of mounting by name. */
  private async refuseOurs(path: string): Promise<void> {
    const [real, folder] = await Promise.all(
      [realpath(path), realpath(this.options.volumes)].map(orUndefined),
    );
    if (real !== undefined && folder !== undefined && real.startsWith(folder + sep)) {
      throw new BerthError('bad_request', `${path} is the disk of a named volume.`, {
        hint: 'Give the name of the volume instead.',
        field: 'mounts',
      });
    }
  }

  private get record(): string {
    return join(this.options.volumes, 'images.json');
  }

  private async read(): Promise<Attachment[]> {
    const read = await readValue(this.record, format);
    return read?.images ?? [];
  }

  private async write(images: Attachment[]): Promise<void> {
    await mkdir(this.options.volumes, { recursive: true, mode: 0o700 });
    await writeRecord(this.record, format, { images });
  }
}

async function orUndefined<T>(value: Promise<T>): Promise<T | undefined> {
  return value.catch(() => undefined);
}

function inUse(path: string, who: string): BerthError {
  return new BerthError('in_use', `The disk image ${path} is attached to ${who}.`, {
    hint: 'A disk has one user at a time: stop the other one first.',
    field: 'mounts',
  });
}

/** What no guest could mount is said before one is started. */
async function refuseUnfit(path: string, block: Buffer, readOnly: boolean): Promise<void> {
  if (block.length < superblock.size || block.readUInt16LE(superblock.magicAt) !== magic) {
    throw new BerthError('bad_request', `There is no ext4 file system in ${path}.`, {
      hint: 'It must be raw and without partitions: `mke2fs -t ext4 disk.img 1G` makes one.',
      field: 'mounts',
    });
  }
  if (!readOnly || (block.readUInt32LE(superblock.incompatibleAt) & needsRecovery) === 0) {
    return;
  }
  if (await isLockedByKernel(path)) {
    throw inUse(path, 'another program');
  }
  throw new BerthError(
    'illegal_state',
    `${path} was not unmounted: it can't be read before its journal is replayed.`,
    { hint: `Mount it without \`:ro\` once, or run \`e2fsck -p ${path}\`.`, field: 'mounts' },
  );
}

async function readSuperblock(path: string): Promise<Buffer> {
  try {
    const image = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await image.read(
        Buffer.alloc(superblock.size),
        0,
        superblock.size,
        superblock.offset,
      );
      return buffer.subarray(0, bytesRead);
    } finally {
      await image.close();
    }
  } catch (error) {
    const reason = isErrno(error, 'ENOENT', 'ENOTDIR') ? 'is not there' : `can't be read: ${String(error)}`;
    throw new BerthError('not_found', `The disk image ${path} ${reason}.`, { field: 'mounts', cause: error });
  }
}
