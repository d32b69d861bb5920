/** Which bytes of an image say something: what a copy has to have, whatever the size of the disk. */
import { closeSync } from 'node:fs';
import { BlockDevice } from './block-device';
import { openImage } from './parts';
import type { Range } from './punch-holes';
import { Bitmaps, isSet } from './structures/bitmaps';
import { groupFlag, Groups } from './structures/groups';
import type { Superblock } from './structures/superblock';

/** Blocks. */
interface Span {
  start: number;
  end: number;
}

/**
 * In their order. Of an image that is sound and that nobody else has; throws a `DiskError` for one that can't be read, or whose
 * bitmaps are damaged.
 */
export function usedRanges(path: string): Range[] {
  return openImage(
    path,
    (file, superblock) => {
      try {
        const spans = joined(
          spansOf(new BlockDevice(file, superblock.blockSize, superblock.blocks, undefined), superblock),
        );
        return spans.map(({ start, end }) => ({
          offset: start * superblock.blockSize,
          length: (end - start) * superblock.blockSize,
        }));
      } finally {
        closeSync(file);
      }
    },
    'r',
  );
}

function spansOf(device: BlockDevice, superblock: Superblock): Span[] {
  const groups = new Groups(device, superblock);
  const bitmaps = new Bitmaps(device, superblock, groups);
  const tableBlocks = Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / superblock.blockSize);
  const spans: Span[] = [{ start: 0, end: superblock.firstDataBlock + 1 }];
  for (let group = 0; group < groups.count; group += 1) {
    const start = groups.start(group);
    if (superblock.hasBackup(group)) {
      spans.push({ start, end: start + 1 + groups.tableBlocks + superblock.reservedDescriptorBlocks });
    }
    for (const [place, count] of [
      ['blockBitmap', 1],
      ['inodeBitmap', 1],
      ['inodeTable', tableBlocks],
    ] as const) {
      const first = groups.place(group, place);
      spans.push({ start: first, end: first + count });
    }
    // Else nothing but what every group has is in it, and what other groups have there is among theirs.
    if ((groups.flags(group) & groupFlag.blocksUninitialised) === 0) {
      spans.push(...runsOf(bitmaps.blocks(group), start, groups.size(group)));
    }
  }
  return spans.map(({ start, end }) => ({ start, end: Math.min(end, device.blocks) }));
}

/** Of bits that are set. */
function runsOf(bits: Uint8Array, first: number, size: number): Span[] {
  const runs: Span[] = [];
  let start: number | undefined;
  for (let index = 0; index <= size; index += 1) {
    const isUsed = index < size && isSet(bits, index);
    if (isUsed) {
      start ??= index;
    } else if (start !== undefined) {
      runs.push({ start: first + start, end: first + index });
      start = undefined;
    }
  }
  return runs;
}

/** Neighbours become one. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of [...spans].sort((one, other) => one.start - other.start)) {
    const last = all.at(-1);
    if (last !== undefined && span.start <= last.end) {
      last.end = Math.max(last.end, span.end);
    } else {
      all.push({ ...span });
    }
  }
  return all;
}
