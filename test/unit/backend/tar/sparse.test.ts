/** Sparse files as GNU tar writes them, in all its formats, and maps that no tar would write. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, createReadStream, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  blockSize,
  dataBytes,
  encodeHeader,
  paddingOf,
  type TarEntry,
} from '../../../../src/backend/tar/header';
import { pieceZeros } from '../../../../src/backend/tar/sparse-sink';
import { TarReader } from '../../../../src/backend/tar/read';
import type { SparsePart } from '../../../../src/backend/tar/sparse';
import { useTempFolder } from '../../../support/temp';
import { Random } from '../../../support/random';

const formats: Readonly<Record<string, readonly string[]>> = {
  'pax 0.0': ['--format=pax', '--sparse-version=0.0'],
  'pax 0.1': ['--format=pax', '--sparse-version=0.1'],
  'pax 1.0': ['--format=pax', '--sparse-version=1.0'],
  gnu: ['--format=gnu'],
};

interface Read {
  entry: TarEntry;
  content: Buffer;
  /** Bytes that came as holes. */
  holes: number;
}

async function readAll(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, hasHoles = true): Promise<Read[]> {
  const found: Read[] = [];
  const reader = new TarReader({
    entry: (entry, content) => {
      found.push({ entry, content: Buffer.from(content), holes: 0 });
      return undefined;
    },
    large: (entry) => {
      const read: Read = { entry, content: Buffer.alloc(entry.size), holes: 0 };
      let at = 0;
      found.push(read);
      const piece = async (bytes: Buffer): Promise<void> => {
        at += bytes.copy(read.content, at);
        // Answers late, as a slow disk does.
        await Promise.resolve();
      };
      return {
        piece,
        end: () => {
          assert.equal(at, entry.size);
          return undefined;
        },
        hole: (length) => {
          if (!hasHoles) {
            return pieceZeros(piece, length);
          }
          at += length;
          read.holes += length;
          return undefined;
        },
      };
    },
  });
  for await (const chunk of chunks) {
    await reader.push(chunk);
  }
  assert(reader.ended);
  return found;
}

/** A header of PAX with these records, one of a file, and a content. */
function pax(records: readonly [string, string][], content: Buffer): Buffer {
  const text = records.map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const length = rest.length + String(rest.length + 3).length;
    return `${length}${rest}`;
  });
  const body = Buffer.from(text.join(''));
  const plain = { mode: 0o644, uid: 0, gid: 0, mtimeMs: 0, linkName: '' };
  const extended = encodeHeader({ ...plain, name: 'x', type: 'file', size: body.length });
  extended.write('x', 156);
  const header = encodeHeader({ ...plain, name: 'GNUSparseFile.1/f', type: 'file', size: content.length });
  for (const each of [extended]) {
    each.fill(' ', 148, 156);
    const sum = each.reduce((all, byte) => all + byte, 0);
    each.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  }
  return Buffer.concat([
    ...[extended, body, Buffer.alloc(paddingOf(body.length))],
    ...[header, content, Buffer.alloc(paddingOf(content.length)), Buffer.alloc(2 * blockSize)],
  ]);
}

describe('sparse files in tars', function () {
  this.timeout(60_000);
  const folder = useTempFolder();
  const at = (name: string) => join(folder(), name);

  function makeSparse(name: string, size: number, parts: readonly [offset: number, content: Buffer][]): void {
    const file = openSync(at(name), 'w');
    for (const [offset, content] of parts) {
      writeSync(file, content, 0, content.length, offset);
    }
    closeSync(file);
    truncateSync(at(name), size);
  }

  function makeAll(random: Random): string[] {
    const many = (count: number): [number, Buffer][] =>
      Array.from({ length: count }, (_, n) => [n * 16_384, Buffer.alloc(4096, 1 + (n % 250))]);
    makeSparse('hole', 1_048_576, []);
    makeSparse('plain', 5000, [[0, Buffer.alloc(5000, 'p')]]);
    makeSparse('end', 3_000_001, [[2_999_000, Buffer.alloc(1001, 'e')]]);
    makeSparse('start', 2_000_000, [[0, Buffer.alloc(100, 's')]]);
    makeSparse('many', 700 * 16_384, many(700));
    makeSparse(`${'long'.repeat(40)}ü`, 200 * 16_384 + 7, many(90));
    for (let index = 0; index < 5; index++) {
      const parts = Array.from({ length: random.next(30) }, (): [number, Buffer] => [
        random.next(400) * 4096,
        Buffer.alloc(1 + random.next(9000), 1 + random.next(255)),
      ]);
      makeSparse(`random${index}`, 1_700_000 + random.next(100_000), parts);
    }
    return [
      'hole',
      'plain',
      'end',
      'start',
      'many',
      `${'long'.repeat(40)}ü`,
      ...[0, 1, 2, 3, 4].map((n) => `random${n}`),
    ];
  }

  for (const [format, options] of Object.entries(formats)) {
    it(`are read as GNU tar packs them (${format}), with their holes`, async () => {
      const names = makeAll(new Random(5));
      execFileSync('tar', ['-C', folder(), ...options, '-S', '-cf', at('a.tar'), ...names]);
      for (const highWaterMark of [333, 65_536]) {
        const found = await readAll(createReadStream(at('a.tar'), { highWaterMark }));
        assert.deepEqual(
          found.map(({ entry }) => entry.name),
          names,
        );
        for (const { entry, content, holes } of found) {
          const wanted = readFileSync(at(entry.name));
          assert.equal(entry.type, 'file');
          assert(content.equals(wanted), `${entry.name} is something else`);
          assert(entry.name === 'plain' || holes > 0, `${entry.name} has no hole`);
        }
      }
      const [hole] = await readAll(createReadStream(at('a.tar')), false);
      assert(hole?.content.equals(Buffer.alloc(1_048_576)));
    });
  }

  it('are packed so that GNU tar unpacks them, with holes and all', async () => {
    const sparse: SparsePart[] = [
      { offset: 4096, length: 512 },
      { offset: 1_000_000, length: 4095 },
    ];
    const entry: TarEntry = {
      ...{
        name: 'ä b',
        type: 'file',
        size: 20_000_000,
        mode: 0o640,
        uid: 0,
        gid: 0,
        mtimeMs: 0,
        linkName: '',
      },
      sparse,
    };
    const tar = Buffer.concat([
      ...[encodeHeader(entry), Buffer.alloc(512, 'a'), Buffer.alloc(4095, 'b')],
      ...[Buffer.alloc(paddingOf(dataBytes(entry))), Buffer.alloc(2 * blockSize)],
    ]);
    execFileSync('tar', ['-C', folder(), '-xf', '-'], { input: tar });
    const wanted = Buffer.alloc(20_000_000);
    wanted.fill('a', 4096, 4608).fill('b', 1_000_000, 1_004_095);
    assert(readFileSync(at('ä b')).equals(wanted));
    const [read] = await readAll([tar]);
    assert.deepEqual([read?.entry.name, read?.entry.sparse?.slice(0, 2)], ['ä b', sparse]);
    assert(read?.content.equals(wanted));
  });

  const version = (major: string, minor: string): [string, string][] => [
    ['GNU.sparse.major', major],
    ['GNU.sparse.minor', minor],
    ['GNU.sparse.name', 'the file'],
  ];
  const oldMap = (map: string, size = '1000'): [string, string][] => [
    ['GNU.sparse.name', 'the file'],
    ['GNU.sparse.size', size],
    ['GNU.sparse.map', map],
  ];
  const newMap = (map: string, size: string, data = ''): Buffer =>
    pax(
      [...version('1', '0'), ['GNU.sparse.realsize', size]],
      Buffer.concat([Buffer.from(map), Buffer.alloc((512 - (map.length % 512)) % 512), Buffer.from(data)]),
    );
  const hostile: Readonly<Record<string, Buffer>> = {
    'a version that is not known': pax(version('2', '0'), Buffer.alloc(512)),
    'overlapping parts': pax(oldMap('0,10,5,10'), Buffer.alloc(20)),
    'parts in the wrong order': pax(oldMap('50,10,0,10'), Buffer.alloc(20)),
    'a part beyond its size': pax(oldMap('995,10'), Buffer.alloc(10)),
    'an offset beyond all numbers': pax(oldMap('9007199254740993,10'), Buffer.alloc(10)),
    'a sum beyond all numbers': pax(oldMap('9007199254740990,10', '9007199254740991'), Buffer.alloc(10)),
    'a negative length': pax(oldMap('5,-1'), Buffer.alloc(10)),
    'an odd map': pax(oldMap('0,10,20'), Buffer.alloc(10)),
    'fewer bytes than its parts': pax(oldMap('0,10,20,10'), Buffer.alloc(10)),
    'more bytes than its parts': pax(oldMap('0,10'), Buffer.alloc(700)),
    'no size': pax([['GNU.sparse.map', '0,10']], Buffer.alloc(10)),
    'offsets without lengths': pax(
      [
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.offset', '1'],
        ['GNU.sparse.offset', '2'],
      ],
      Buffer.alloc(10),
    ),
    'a count without an end': newMap('999999999\n', '1000'),
    'a map of letters': newMap('x\n', '1000'),
    'a map that does not end': newMap('3\n0\n1\n', '1000'),
    'a map that is missing': pax([...version('1', '0'), ['GNU.sparse.realsize', '10']], Buffer.alloc(0)),
  };
  for (const [what, tar] of Object.entries(hostile)) {
    it(`are refused by name with ${what}`, async () => {
      await assert.rejects(readAll([tar]), (error: Error) => {
        assert.match(error.message, /^the tar is damaged: the sparse file ".*" can't be read: /);
        return true;
      });
    });
  }
});
