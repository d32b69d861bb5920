/**
 * The agent's frames: two big-endian 32-bit lengths, of a JSON head and of a payload, then both
 * (images/tools/agent/main.py).
 */
import { maxLists, maxValues, plainHead } from './limits';

const lengthsSize = 8;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const bracket = 0x5b;
const brace = 0x7b;

export interface Frame {
  head: Record<string, unknown>;
  payload: Buffer;
}

/** The buffers of a frame, in order; the payload is not copied. */
export function encodeFrame(head: Readonly<Record<string, unknown>>, payload?: Buffer): Buffer[] {
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.allocUnsafe(lengthsSize);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(payload?.length ?? 0, 4);
  const start = Buffer.concat([lengths, text]);
  return payload === undefined || payload.length === 0 ? [start] : [start, payload];
}

/** Cuts a stream of bytes into frames, copying each byte at most once, and no payload that came by itself. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private buffered = 0;
  private wanted = lengthsSize;

  /** `limit`: what the longest frame may have that can come now. Nothing beyond it is kept. */
  constructor(
    private readonly frame: (frame: Frame) => void,
    private readonly limit: () => number,
  ) {}

  /** Takes what has arrived. Throws for a frame that is longer than was asked for. */
  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    while (this.buffered >= this.wanted) {
      const [start, payload] = this.chunks;
      if (
        start !== undefined &&
        payload !== undefined &&
        isFrame(start, payload) &&
        this.chunks.length === 2
      ) {
        this.chunks = [];
        this.buffered = 0;
        this.wanted = lengthsSize;
        this.deliver(start.subarray(lengthsSize), payload);
        return;
      }
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
    this.deliver(
      all.subarray(lengthsSize, lengthsSize + headLength),
      all.subarray(lengthsSize + headLength, total),
    );
  }

  private deliver(text: Buffer, payload: Buffer): void {
    if (text.length > plainHead) {
      refuseManyValues(text);
    }
    const head: unknown = JSON.parse(text.toString('utf8'));
    if (typeof head !== 'object' || head === null) {
      throw new Error('a frame without a head');
    }
    this.frame({ head: { ...head }, payload });
  }
}

/** Whether the first buffer is all of a frame but its payload, and the second one is that. */
function isFrame(start: Buffer, payload: Buffer): boolean {
  return (
    start.length >= lengthsSize &&
    start.length === lengthsSize + start.readUInt32BE(0) &&
    payload.length === start.readUInt32BE(4)
  );
}

/** Before it is parsed: a value of two bytes takes thirty times as much of our memory, and no agent of ours sends so many. */
function refuseManyValues(json: Buffer): void {
  let lists = 0;
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === quote) {
      at = endOfText(json, at + 1);
    } else if (byte === comma) {
      values++;
    } else if (byte === bracket || byte === brace) {
      lists++;
    }
  }
  if (lists > maxLists || values > maxValues) {
    throw new Error(`a frame of ${lists} lists and ${values} values: no answer has that many`);
  }
}

/** Where the quotes are that end a text. */
function endOfText(json: Buffer, start: number): number {
  let at = start;
  while (at < json.length && json[at] !== quote) {
    at += json[at] === backslash ? 2 : 1;
  }
  return at;
}
