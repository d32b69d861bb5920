/**
 * The agent's frames: two big-endian 32-bit lengths, of a JSON head and of a payload, then both
 * (images/tools/agent/main.py).
 */
const lengthsSize = 8;

export interface Frame {
  head: Record<string, unknown>;
  payload: Buffer;
}

export function encodeFrame(head: Readonly<Record<string, unknown>>, payload?: Buffer): Buffer[] {
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.allocUnsafe(lengthsSize);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(payload?.length ?? 0, 4);
  const start = Buffer.concat([lengths, text]);
  return payload === undefined || payload.length === 0 ? [start] : [start, payload];
}

/** Cuts a stream of bytes into frames, copying each byte at most once. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private buffered = 0;
  private wanted = lengthsSize;

  /** `limit`: what the longest frame may have that can come now. Nothing beyond it is kept. */
  constructor(
    private readonly frame: (frame: Frame) => void,
    private readonly limit: () => number,
  ) {}

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    while (this.buffered >= this.wanted) {
      const all = this.joined();
      const headLength = all.readUInt32BE(0);
      const total = lengthsSize + headLength + all.readUInt32BE(4);
      const limit = this.limit();
      if (total > limit) {
        throw new Error(`a frame of ${total} bytes, where at most ${limit} were asked for`);
      }
      if (all.length < total) {
        this.wanted = total;
        return;
      }
      this.take(all, headLength, total);
    }
  }

  private joined(): Buffer {
    const [first] = this.chunks;
    if (first !== undefined && this.chunks.length === 1) {
      return first;
    }
    const all = Buffer.concat(this.chunks, this.buffered);
    this.chunks = [all];
    return all;
  }

  private take(all: Buffer, headLength: number, total: number): void {
    this.wanted = lengthsSize;
    this.buffered = all.length - total;
    this.chunks = this.buffered > 0 ? [all.subarray(total)] : [];
    const text = all.toString('utf8', lengthsSize, lengthsSize + headLength);
    const head: unknown = JSON.parse(text);
    if (typeof head !== 'object' || head === null) {
      throw new Error('a frame without a head');
    }
    this.frame({ head: { ...head }, payload: all.subarray(lengthsSize + headLength, total) });
  }
}
