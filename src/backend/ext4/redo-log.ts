/**
 * Makes many blocks change at once. They are written to a file beside the image first; only when they are all there,
 * to the image. A process that is killed in between leaves either no complete log, and nothing of the change is in
 * the image, or a complete one, which is applied before the image is used again. Unlike ext4's own journal it is
 * there for images of any size and feature set, and is never left for somebody else to replay.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { CommitLog } from './commit-log';

const magic = Buffer.from('BERTH REDO LOG 1');
const headerSize = 32;
const digestSize = 32;

/** Where the log of an image lies. */
export function redoLogOf(image: string): string {
  return `${image}.redo`;
}

/** Writes all of it, however little a single write takes. `position` is in bytes from the file's start. */
export function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

function encode(blockSize: number, blocks: ReadonlyMap<number, Buffer>): Buffer {
  const payload = headerSize + blocks.size * (8 + blockSize);
  const log = Buffer.alloc(payload + digestSize);
  magic.copy(log);
  log.writeUInt32LE(blockSize, 16);
  log.writeUInt32LE(blocks.size, 20);
  let at = headerSize;
  for (const [block, content] of blocks) {
    log.writeDoubleLE(block, at);
    content.copy(log, at + 8);
    at += 8 + blockSize;
  }
  createHash('sha256').update(log.subarray(0, payload)).digest().copy(log, payload);
  return log;
}

function applyTo(image: number, blockSize: number, blocks: Iterable<readonly [number, Buffer]>): void {
  for (const [block, content] of blocks) {
    writeFully(image, content, block * blockSize);
  }
}

/** The blocks of a log; undefined when it is not complete. */
function decode(log: Buffer): { blockSize: number; blocks: [number, Buffer][] } | undefined {
  if (log.length < headerSize + digestSize || !log.subarray(0, magic.length).equals(magic)) {
    return undefined;
  }
  const [blockSize, count] = [log.readUInt32LE(16), log.readUInt32LE(20)];
  const payload = headerSize + count * (8 + blockSize);
  const digest = createHash('sha256').update(log.subarray(0, payload)).digest();
  if (log.length < payload + digestSize || !digest.equals(log.subarray(payload, payload + digestSize))) {
    return undefined;
  }
  const blocks = Array.from({ length: count }, (_, index): [number, Buffer] => {
    const at = headerSize + index * (8 + blockSize);
    return [log.readDoubleLE(at), log.subarray(at + 8, at + 8 + blockSize)];
  });
  return { blockSize, blocks };
}

export class RedoLog implements CommitLog {
  private log: number | undefined;

  constructor(
    private readonly path: string,
    private readonly image: number,
  ) {}

  /** All or none of the blocks, and all data written before, also when the machine loses power. */
  commit(blockSize: number, blocks: ReadonlyMap<number, Buffer>): void {
    this.log ??= openSync(this.path, 'w', 0o600);
    // What the last log is still needed for, and the data that the new blocks refer to, come first.
    fdatasyncSync(this.image);
    writeFully(this.log, encode(blockSize, blocks), 0);
    fdatasyncSync(this.log);
    applyTo(this.image, blockSize, blocks);
  }

  close(): void {
    if (this.log !== undefined) {
      fdatasyncSync(this.image);
      closeSync(this.log);
      this.log = undefined;
      rmSync(this.path, { force: true });
    }
  }
}

/** Finishes what a killed process had begun. To be called before anything else reads the image; true: there was some. */
export function finishRedoLog(imagePath: string): boolean {
  const path = redoLogOf(imagePath);
  if (!existsSync(path)) {
    return false;
  }
  const file = openSync(path, 'r');
  let log: Buffer;
  try {
    log = Buffer.alloc(fstatSync(file).size);
    readSync(file, log, 0, log.length, 0);
  } finally {
    closeSync(file);
  }
  const complete = decode(log);
  if (complete !== undefined) {
    const image = openSync(imagePath, 'r+');
    try {
      applyTo(image, complete.blockSize, complete.blocks);
      fdatasyncSync(image);
    } finally {
      closeSync(image);
    }
  }
  rmSync(path, { force: true });
  return complete !== undefined;
}
