/**
 * Buffers of a mebibyte that go to the engine with the pieces of large files, and come back: with a new one for each
 * piece, V8 walks the engine's heap again and again.
 */
export const spareBytes = 1024 * 1024;
const maxKept = 4;

export class Spares {
  private readonly kept: ArrayBuffer[] = [];

  /** Of `spareBytes`, and no particular content. */
  take(): Buffer {
    const kept = this.kept.pop();
    return kept === undefined ? Buffer.allocUnsafeSlow(spareBytes) : Buffer.from(kept);
  }

  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === spareBytes && this.kept.length < maxKept) {
      this.kept.push(buffer);
    }
  }
}
