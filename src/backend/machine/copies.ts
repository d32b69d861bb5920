/** Copies of large files, disks for one: sharing the blocks where the file system can, else with holes where zeros are. */
import { constants } from 'node:fs';
import { chmod, copyFile, open, rm, type FileHandle } from 'node:fs/promises';

const pieceBytes = 1024 * 1024;

/** Of a copy that takes its time. */
export interface CopyWatch {
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
  { signal, report }: CopyWatch,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  const zeros = Buffer.alloc(pieceBytes);
  const { size } = await source.stat();
  await copy.truncate(size);
  for (let at = 0; at < size;) {
    signal?.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, pieceBytes, at);
    if (bytesRead === 0) {
      break;
    }
    if (buffer.compare(zeros, 0, bytesRead, 0, bytesRead) !== 0) {
      await writeAll(copy, buffer.subarray(0, bytesRead), at);
    }
    at += bytesRead;
    report?.(at, size);
  }
}

/** Where room runs out within a piece, a write answers how much it took: the next one says why. */
async function writeAll(file: FileHandle, piece: Buffer, at: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
  }
}
