/** The hash of names in large directories: half MD4 (Linux, fs/ext4/hash.c). */

const defaultSeed = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const endOfDirectory = 0xfffffffe;

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

const rounds = [
  {
    add: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7],
    by: [3, 7, 11, 19],
    mix: (x: number, y: number, z: number) => z ^ (x & (y ^ z)),
  },
  {
    add: 0x5a827999,
    order: [1, 3, 5, 7, 0, 2, 4, 6],
    by: [3, 5, 9, 13],
    mix: (x: number, y: number, z: number) => (x & y) + ((x ^ y) & z),
  },
  {
    add: 0x6ed9eba1,
    order: [3, 7, 2, 6, 1, 5, 0, 4],
    by: [3, 9, 11, 15],
    mix: (x: number, y: number, z: number) => x ^ y ^ z,
  },
];

/** One turn over eight words. */
function transform(state: Int32Array, words: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const { add, order, by, mix } of rounds) {
    for (let step = 0; step < 8; step++) {
      const word = words[order[step] ?? 0] ?? 0;
      const mixed = rotate((a + mix(b, c, d) + word + add) | 0, by[step & 3] ?? 0);
      [a, b, c, d] = [d, mixed, b, c];
    }
  }
  // Eight steps bring the four back to their places.
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
}

function fill(words: Int32Array, name: Buffer, start: number, unsigned: boolean): void {
  const left = name.length - start;
  const length = Math.min(left, 32);
  const pad = left | (left << 8) | ((left | (left << 8)) << 16);
  let value = pad;
  let word = 0;
  for (let at = 0; at < length; at++) {
    const byte = unsigned ? name.readUInt8(start + at) : name.readInt8(start + at);
    value = (byte + (value << 8)) | 0;
    if (at % 4 === 3) {
      words[word++] = value;
      value = pad;
    }
  }
  for (; word < 8; word++) {
    words[word] = value;
    value = pad;
  }
}

/** Even; the lowest bit is for the directory's own use. */
export function hashName(name: Buffer, seed: readonly number[], unsigned: boolean): number {
  const state = Int32Array.from(seed.some((part) => part !== 0) ? seed : defaultSeed, (part) => part | 0);
  const words = new Int32Array(8);
  for (let start = 0; start < name.length; start += 32) {
    fill(words, name, start, unsigned);
    transform(state, words);
  }
  const hash = ((state[1] ?? 0) & ~1) >>> 0;
  return hash === endOfDirectory ? endOfDirectory - 2 : hash;
}
