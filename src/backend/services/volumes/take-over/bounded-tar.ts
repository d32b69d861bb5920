/** A tar of about as much as was compared: whoever owns the source may have put far more there meanwhile. */
import { Readable } from 'node:stream';
import type { ComparedFile } from '../../../../api/files/compare';
import { gibibyte } from '../../../../api/rules/sizes';
import { TarReader } from '../../../tar/read';
import { Left } from './left';

const spareEntries = 10_000;
const spareBytes = gibibyte;
/** Of a tar, for each entry: headers with long names and attributes. */
const headerBytes = 64 * 1024;

/** The same tar; it fails with `Left`, which `over` answers from then on, where it is far more than `expected`. */
export function boundedTar(
  tar: Readable,
  expected: ReadonlyMap<string, ComparedFile>,
): { tar: Readable; over: () => Left | undefined } {
  const maxEntries = 2 * expected.size + spareEntries;
  let bytesLeft = spareBytes + expected.size * headerBytes;
  for (const { type, size } of expected.values()) {
    bytesLeft += type === 'file' ? size : 0;
  }
  let entries = 0;
  let over: Left | undefined;
  const count = (): undefined => {
    entries++;
  };
  const reader = new TarReader({ entry: count, large: count });
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      await reader.push(chunk);
      bytesLeft -= chunk.length;
      if (entries > maxEntries || bytesLeft < 0) {
        over = new Left('source', 'it has changed: far more is in it than was compared');
        throw over;
      }
      yield chunk;
    }
  }
  return { tar: Readable.from(chunks(), { objectMode: false }), over: () => over };
}
