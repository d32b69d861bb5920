/** Files to copy, made on this machine. */
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const folders = 100;
const kibibytes4 = 4096;

/** `big`, `many/d<n>/f<n>`, `flat/f<n>` (empty) and `hundred/f<n>` in a folder of this machine. */
export async function makeSources(folder: string, bigMiB: number, fileCount: number): Promise<void> {
  const block = randomBytes(1024 * 1024);
  const blocks = Readable.from(Array.from({ length: bigMiB }, () => block));
  await pipeline(blocks, createWriteStream(join(folder, 'big')));
  ['hundred', 'flat'].forEach((name) => mkdirSync(join(folder, name)));
  for (let n = 0; n < folders; n += 1) {
    mkdirSync(join(folder, 'many', `d${n}`), { recursive: true });
    writeFileSync(join(folder, 'hundred', `f${n}`), block.subarray(0, kibibytes4));
  }
  for (let n = 0; n < fileCount; n += 1) {
    writeFileSync(join(folder, 'many', `d${n % folders}`, `f${n}`), block.subarray(n, n + kibibytes4));
    writeFileSync(join(folder, 'flat', `f${n}`), '');
  }
}
