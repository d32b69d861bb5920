/**
 * Which features of a file system we know, by the bits of its superblock (Linux, Documentation/filesystems/ext4/super.rst).
 * As in the kernel: an unknown `incompat` bit means that nothing can be read rightly, an unknown `ro_compat` bit that nothing
 * can be written rightly, and unknown `compat` bits change neither.
 */
import { DiskError } from '../disk-error';

/** Offsets in the superblock. */
const incompatAt = 0x60;
const roCompatAt = 0x64;

/** The journal has something to replay: seen to before, see fitness.ts. */
const recover = 0x4;
/** filetype, extents, 64bit, flex_bg, csum_seed, large_dir: all that is written too. */
const writableIncompat = 0x2 | 0x40 | 0x80 | 0x200 | 0x2000 | 0x4000;
/** And mmp, ea_inode, inline_data, casefold, whose files can be read when they don't use it. */
const readableIncompat = writableIncompat | 0x100 | 0x400 | 0x8000 | 0x20000;
/** sparse_super, large_file, huge_file, uninit_bg, dir_nlink, extra_isize, metadata_csum. */
const writableRoCompat = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x40 | 0x400;
/** bigalloc: room is counted in clusters, also where we read how much is free. */
const unreadableRoCompat = 0x200;

/** What e2fsprogs calls those that we refuse. */
const names: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  incompat: {
    0x1: 'compression',
    0x8: 'journal_dev',
    0x10: 'meta_bg',
    0x100: 'mmp',
    0x400: 'ea_inode',
    0x1000: 'dirdata',
    0x8000: 'inline_data',
    0x10000: 'encrypt',
    0x20000: 'casefold',
  },
  ro_compat: {
    0x100: 'quota',
    0x200: 'bigalloc',
    0x800: 'replica',
    0x1000: 'read-only',
    0x2000: 'project',
    0x4000: 'shared_blocks',
    0x8000: 'verity',
    0x10000: 'orphan_present',
  },
};
const remedy = 'start the workspace that has it: its files are then reached through the workspace';

/** Each bit with its name, e.g. `verity (ro_compat 0x8000)`; one without a name as `ro_compat 0x80000000`. */
function describe(kind: 'incompat' | 'ro_compat', bits: number): string[] {
  return Array.from({ length: 32 }, (_, place) => (1 << place) >>> 0)
    .filter((bit) => (bits & bit) !== 0)
    .map((bit) => {
      const number = `${kind} 0x${bit.toString(16)}`;
      const name = names[kind]?.[bit];
      return name === undefined ? number : `${name} (${number})`;
    });
}

/** Throws `not_supported` for a file system that can't be read rightly. */
export function refuseUnreadable(raw: Buffer): void {
  const unknown = [
    ...describe('incompat', raw.readUInt32LE(incompatAt) & ~readableIncompat & ~recover),
    ...describe('ro_compat', raw.readUInt32LE(roCompatAt) & unreadableRoCompat),
  ];
  if (unknown.length > 0) {
    const what = `the file system has features that Berth can't read: ${unknown.join(', ')}`;
    throw new DiskError('not_supported', `${what}; ${remedy}`);
  }
}

/** Why it can't be written rightly, and what to do; undefined when it can. */
export function whyUnwritable(raw: Buffer): string | undefined {
  const unknown = [
    ...describe('incompat', raw.readUInt32LE(incompatAt) & ~writableIncompat & ~recover),
    ...describe('ro_compat', raw.readUInt32LE(roCompatAt) & ~writableRoCompat),
  ];
  const what =
    unknown.length > 0
      ? `the file system has features that Berth can't write: ${unknown.join(', ')}`
      : (raw.readUInt32LE(incompatAt) & 0x40) === 0
        ? 'the file system has no extents, as those of ext2 and ext3'
        : undefined;
  return what && `${what}; ${remedy}`;
}
