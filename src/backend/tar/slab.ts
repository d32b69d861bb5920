/** Small buffers that are parts of a larger one: a buffer of its own for each would keep the garbage collector busy. */
const slabSize = 256 * 1024;
const smallSize = 16 * 1024;

export class Slab {
  private rest: Buffer = Buffer.alloc(0);

  /** So many bytes of no particular content, which nobody else gets. */
  take(size: number): Buffer {
    if (size > smallSize) {
      return Buffer.allocUnsafeSlow(size);
    }
    if (size > this.rest.length) {
      this.rest = Buffer.allocUnsafeSlow(slabSize);
    }
    const room = this.rest.subarray(0, size);
    this.rest = this.rest.subarray(size);
    return room;
  }
}
