import assert from 'node:assert/strict';
import { Slab } from '../../../../src/backend/tar/slab';

describe('small buffers of one larger one', () => {
  it('never share a byte, whatever their sizes', () => {
    const slab = new Slab();
    const sizes = Array.from({ length: 2000 }, (_, n) => (n * 37) % 20_000);
    const buffers = sizes.map((size, n) => slab.take(size).fill(n % 251));
    buffers.forEach((buffer, n) => {
      assert.equal(buffer.length, sizes[n]);
      assert.ok(buffer.every((byte) => byte === n % 251));
    });
  });
});
