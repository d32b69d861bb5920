/** The two checksums of ext4: CRC-32C (metadata_csum) and CRC-16 (uninit_bg). Neither inverts its result. */

function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) {
      value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ polynomial;
    }
    return value;
  });
}

const castagnoli = tableOf(0x82f63b78);
const ibm = tableOf(0xa001);

/** Slicing-by-8 tables: eight bytes at a time, four times as fast as one table. */
const sliced = Array.from({ length: 8 }, () => castagnoli);
for (let ahead = 1; ahead < 8; ahead++) {
  sliced[ahead] = (sliced[ahead - 1] ?? castagnoli).map(
    (value) => (value >>> 8) ^ (castagnoli[value & 0xff] ?? 0),
  );
}
const [t0, t1, t2, t3, t4, t5, t6, t7] = sliced as [
  ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
  ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
];

/** CRC-32C of the bytes from `start` to `end`, going on from `seed`. */
export function crc32c(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = seed;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (t7[crc & 0xff] as number) ^
      (t6[(crc >>> 8) & 0xff] as number) ^
      (t5[(crc >>> 16) & 0xff] as number) ^
      (t4[crc >>> 24] as number) ^
      (t3[bytes[at + 4] as number] as number) ^
      (t2[bytes[at + 5] as number] as number) ^
      (t1[bytes[at + 6] as number] as number) ^
      (t0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) {
    crc = (castagnoli[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return crc >>> 0;
}

const word = Buffer.alloc(4);

/** Of a 32-bit number, little-endian. */
export function crc32cOf(seed: number, value: number): number {
  word.writeUInt32LE(value >>> 0);
  return crc32c(seed, word);
}

/** CRC-16 of the bytes from `start` to `end`, going on from `seed`. */
export function crc16(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = seed;
  for (let at = start; at < end; at++) {
    crc = (ibm[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return crc & 0xffff;
}
