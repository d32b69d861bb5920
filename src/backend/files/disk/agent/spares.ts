/**
 * Buffers of a mebibyte that go to the engine with the pieces of large files, and come back: with a new one for each
 * piece, V8 walks the engine's heap again and again.
 */
export const spareBytes = 1024 * 1024;
const maxKept = 4;

export class Spares {
  private readonly kept: ArrayBuffer[] = [];
  /** What was taken: it may be handed over as a whole, also where only its beginning is meant. */
  private readonly taken = new WeakSet<ArrayBufferLike>();

  /** Of `spareBytes`, and no particular content. */
  take(): Buffer {
    const kept = this.kept.pop();
    const buffer = kept === undefined ? Buffer.allocUnsafeSlow(spareBytes) : Buffer.from(kept);
    this.taken.add(buffer.buffer);
    return buffer;
  }

  /** Whether the bytes are in a buffer of these, in which nothing else is. */
  isTaken({ buffer }: Uint8Array): boolean {
    return this.taken.has(buffer);
  }

  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === spareBytes && this.kept.length < maxKept) {
      this.kept.push(buffer);
    }
  }
}
