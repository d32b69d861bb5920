/** Which parts of files are worth leaving out when they hold nothing. */
import type { SparsePart } from './sparse';

/** Holes that are smaller in all are sent as zeros. */
const minSaved = 64 * 1024;
/** Between two parts; each part costs a line in the map. */
const minHole = 4096;
/** More of them cost more than the zeros between them; whoever reads the map has it in memory. */
const maxParts = 100_000;

/** The parts of a file that are to be sent, of those that hold data; undefined: it is sent as a whole. */
export function sparseParts(
  size: number,
  data: Iterable<readonly [from: number, to: number]>,
): SparsePart[] | undefined {
  const parts: SparsePart[] = [];
  let sum = 0;
  for (const [from, to] of data) {
    const last = parts.at(-1);
    if (last !== undefined && from - last.offset - last.length < minHole) {
      sum += to - last.offset - last.length;
      last.length = to - last.offset;
    } else {
      sum += to - from;
      parts.push({ offset: from, length: to - from });
      if (parts.length > maxParts) {
        return undefined;
      }
    }
  }
  if (size - sum < minSaved) {
    return undefined;
  }
  const last = parts.at(-1);
  if (last === undefined || last.offset + last.length < size) {
    // GNU tar has one of no bytes at the end of a file that ends with a hole.
    parts.push({ offset: size, length: 0 });
  }
  return parts;
}
