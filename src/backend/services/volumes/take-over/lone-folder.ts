/** A folder alone, of a tar of all that is in it. */
import { Readable } from 'node:stream';

const blockSize = 512;
/** What describes the entry after it. */
const describing = new Set(['x', 'g', 'L', 'K']);
const sizeAt = [124, 136] as const;
const flagAt = 156;

/** The tar up to its first entry, which must be a folder: so with its mode, owner, time and attributes. The rest is not read. */
export async function loneFolder(tar: Readable): Promise<Readable> {
  let held = Buffer.alloc(0);
  let wanted = blockSize;
  try {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      held = Buffer.concat([held, chunk]);
      for (let header = wanted - blockSize; held.length >= wanted; header = wanted - blockSize) {
        const flag = String.fromCharCode(held[header + flagAt] ?? 0);
        if (!describing.has(flag)) {
          return Readable.from([held.subarray(0, wanted), Buffer.alloc(2 * blockSize)]);
        }
        const size = Number.parseInt(held.toString('latin1', header + sizeAt[0], header + sizeAt[1]), 8) || 0;
        wanted += Math.ceil(size / blockSize) * blockSize + blockSize;
      }
    }
  } finally {
    tar.destroy();
  }
  return Readable.from([Buffer.alloc(2 * blockSize)]);
}
