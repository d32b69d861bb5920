import assert from 'node:assert/strict';
import { encodeHeader, paddingOf, type TarEntry } from '../../../../src/backend/tar/header';
import { TarReader } from '../../../../src/backend/tar/read';
import { Random } from '../../../support/random';

const plain = { uid: 0, gid: 0, mode: 0o644, mtimeMs: 1e12, linkName: '', type: 'file' } as const;

interface Seen {
  name: string;
  xattrs: [string, string][];
  content: string;
}

function tarOf(source: Random): Buffer {
  const random = (below: number): number => source.next(below);
  const parts = Array.from({ length: 40 }, (_, n) => {
    const content = Buffer.alloc(random(4) === 0 ? 0 : random(3000), `content ${n} `);
    const name = random(3) === 0 ? `${'long/'.repeat(40)}${n}` : `short-${n}`;
    const xattrs = new Map(random(3) === 0 ? [[`user.${n}`, Buffer.alloc(random(900), `value ${n} `)]] : []);
    const entry: TarEntry = { ...plain, name, size: content.length, xattrs };
    const sparse = [{ offset: 4096, length: content.length }];
    const isSparse = random(4) === 0 && content.length > 0;
    const header = encodeHeader(
      isSparse ? { ...entry, size: 4096 + content.length, sparse } : { ...entry, mtimeNs: 1_234_567_891n },
    );
    return [header, content, Buffer.alloc(paddingOf(content.length))];
  });
  return Buffer.concat([...parts.flat(), Buffer.alloc(1024)]);
}

/** What a reader makes of it; chunks are of no more use once they were taken. */
function read(tar: Buffer, size: number, lendsContent: boolean): Seen[] {
  const seen: Seen[] = [];
  const begin = ({ name, xattrs }: TarEntry, content: string): Seen => {
    const texts = [...(xattrs ?? [])].map(([key, value]): [string, string] => [key, value.toString()]);
    const each = { name, xattrs: texts, content };
    seen.push(each);
    return each;
  };
  const reader = new TarReader(
    {
      entry: (entry, content) => void begin(entry, content.toString()),
      large: (entry) => {
        const each = begin(entry, '');
        return {
          piece: (bytes) => void (each.content += bytes.toString()),
          hole: (length) => void (each.content += `hole of ${length}`),
          end: () => undefined,
        };
      },
    },
    { lendsContent },
  );
  for (let at = 0; at < tar.length; at += size) {
    const chunk = Buffer.from(tar.subarray(at, at + size));
    assert.equal(reader.push(chunk), undefined);
    chunk.fill(0xff);
  }
  assert.ok(reader.ended);
  return seen;
}

describe('A tar whose contents are lent to who reads it', () => {
  it('is the same as one whose contents are given, wherever its chunks end', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const tar = tarOf(new Random(seed));
      const given = read(tar, tar.length, false);
      assert.equal(given.length, 40);
      for (const size of [7, 511, 512, 513, 1500, 10_240, tar.length]) {
        assert.deepEqual(read(tar, size, true), given, `seed ${seed}, chunks of ${size}`);
      }
    }
  });
});
