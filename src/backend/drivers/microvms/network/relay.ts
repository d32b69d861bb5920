/**
 * The stream of QEMU's filter-redirector: each frame after its length (32 bits, big endian). What may pass is sent on
 * as it came. Needs as much memory as one frame and what its reader is behind with, whatever the guest does.
 */
import type { Readable, Writable } from 'node:stream';
import { mebibyte } from '../../../../api/rules/sizes';
import { mayPass } from './frames';

const lengthBytes = 4;
/** NET_BUFSIZE of QEMU: what is longer it takes back from nobody. */
const maxFrameBytes = 4096 + 65_536;
/** A network loses frames when it is slow. Waiting instead would stand in the way of the reader, which is the sender. */
const maxBehindBytes = 4 * mebibyte;

export class Relay {
  private rest: Buffer = Buffer.alloc(0);
  /** Of a frame that is too long to be looked at. */
  private skippedBytes = 0;

  constructor(private readonly send: (frames: Buffer) => void) {}

  take(chunk: Buffer): void {
    const skipped = Math.min(this.skippedBytes, chunk.length);
    this.skippedBytes -= skipped;
    const fresh = chunk.subarray(skipped);
    const bytes = this.rest.length === 0 ? fresh : Buffer.concat([this.rest, fresh]);
    // A copy: what came with it is not kept for a few bytes.
    this.rest = Buffer.from(bytes.subarray(this.passOn(bytes)));
  }

  /** Sends what may pass, neighbours together; answers where the first unfinished frame begins. */
  private passOn(bytes: Buffer): number {
    let at = 0;
    let passFrom = 0;
    while (bytes.length - at >= lengthBytes) {
      const length = bytes.readUInt32BE(at);
      const end = at + lengthBytes + length;
      if (end > bytes.length && length <= maxFrameBytes) {
        break;
      }
      if (length > maxFrameBytes || !mayPass(bytes.subarray(at + lengthBytes, end))) {
        this.sendRange(bytes, passFrom, at);
        passFrom = Math.min(end, bytes.length);
      }
      this.skippedBytes = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
    }
    this.sendRange(bytes, passFrom, at);
    return at;
  }

  private sendRange(bytes: Buffer, from: number, to: number): void {
    if (to > from) {
      this.send(bytes.subarray(from, to));
    }
  }
}

/** Filters until the reader or the writer ends. */
export function relay(from: Readable, to: Writable): void {
  const frames = new Relay((passed) => {
    if (to.writableLength < maxBehindBytes) {
      to.write(passed);
    }
  });
  from.on('data', (chunk: Buffer) => frames.take(chunk));
}
