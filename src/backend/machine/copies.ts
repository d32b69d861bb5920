/** Copies of large files, disks for one: sharing the blocks where the file system can, else with holes where zeros are. */
import { constants } from 'node:fs';
import { chmod, copyFile, open, rm, type FileHandle } from 'node:fs/promises';
import { kibibyte, mebibyte } from '../../api/rules/sizes';

const pieceBytes = mebibyte;
/** Of zeros: fewer are written. */
const holeBytes = 16 * kibibyte;

/** Of a copy that takes its time. */
export interface CopyWatch {
  /** In bytes, in their order: what else there is in the source is not read. Absent: all of it. */
  ranges?: readonly { offset: number; length: number }[];
  signal?: AbortSignal;
  /** Bytes of the source that are done. */
  report?: (done: number, total: number) => void;
}

/** Makes the new file `to`, mode 0600, of the blocks of `from`; false, with nothing there, where the file system does not share them. */
export async function cloneFile(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    // It has the mode of the other one, which may be nobody's to write to.
    await chmod(to, 0o600);
    return true;
  } catch {
    await rm(to, { force: true });
    return false;
  }
}

/**
 * A copy in a new file, in which what is zero takes no room. Not synced. Throws when there is such a file already, and
 * when it is given up; then a part of the copy is left.
 */
export async function copySparse(from: string, to: string, watch: CopyWatch = {}): Promise<void> {
  const source = await open(from, 'r');
  try {
    const copy = await open(to, 'wx', 0o600);
    try {
      await copyPieces(source, copy, watch);
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

async function copyPieces(
  source: FileHandle,
  copy: FileHandle,
  { signal, report, ranges }: CopyWatch,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  const { size } = await source.stat();
  await copy.truncate(size);
  const wanted = ranges ?? [{ offset: 0, length: size }];
  const total = wanted.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  for (const { offset, length } of wanted) {
    for (let at = offset; at < offset + length;) {
      signal?.throwIfAborted();
      const { bytesRead } = await source.read(buffer, 0, Math.min(pieceBytes, offset + length - at), at);
      if (bytesRead === 0) {
        break;
      }
      for (const { start, end } of partsOf(buffer.subarray(0, bytesRead))) {
        await writeAll(copy, buffer.subarray(start, end), at + start);
      }
      at += bytesRead;
      done += bytesRead;
      report?.(done, total);
    }
  }
}

const zeros = Buffer.alloc(holeBytes);

/** What is not zero, as few parts as can be. */
function partsOf(piece: Buffer): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = [];
  for (let start = 0; start < piece.length; start += holeBytes) {
    const end = Math.min(start + holeBytes, piece.length);
    if (piece.compare(zeros, 0, end - start, start, end) === 0) {
      continue;
    }
    const last = parts.at(-1);
    if (last?.end === start) {
      last.end = end;
    } else {
      parts.push({ start, end });
    }
  }
  return parts;
}

/** Where room runs out within a piece, a write answers how much it took: the next one says why. */
async function writeAll(file: FileHandle, piece: Buffer, at: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
  }
}
