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

export function crc32c(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = seed;
  for (let at = start; at < end; at++) {
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

export function crc16(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = seed;
  for (let at = start; at < end; at++) {
    crc = (ibm[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return crc & 0xffff;
}
