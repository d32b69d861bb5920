/** Bundles as the user has them: tars, packed or not. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { openRegular } from '../machine/files';

const atOnce = 256 * 1024;

/** The tar that is in it. What is wrong with the file, it says when it is read. */
export function openBundle(source: string): Readable {
  const file = Readable.from(bytesOf(source), { objectMode: false, highWaterMark: atOnce });
  if (!/\.(tgz|tar\.gz)$/i.test(source)) {
    return file;
  }
  const tar = createGunzip();
  file.on('error', (error) => tar.destroy(error)).pipe(tar);
  tar.on('close', () => file.destroy());
  return tar;
}

async function* bytesOf(source: string): AsyncGenerator<Buffer> {
  const file = await openRegular(source);
  try {
    yield* file.createReadStream({ autoClose: false, highWaterMark: atOnce }) as AsyncIterable<Buffer>;
  } finally {
    await file.close();
  }
}
