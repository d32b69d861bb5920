import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockDevice } from '../../../../src/backend/ext4/block-device';
import { FileReader } from '../../../../src/backend/ext4/file-content';
import { useTempFolder } from '../../../support/temp';

const blockSize = 1024;
const count = 64;
const filled = (text: string): Buffer => Buffer.alloc(blockSize, text);

describe('contents on their way into an image', () => {
  const folder = useTempFolder();
  let image: string;
  let file = -1;
  let committed: number[][];
  const open = (flags: string): BlockDevice => {
    file = openSync(image, flags);
    committed = [];
    const commit = (_size: number, blocks: ReadonlyMap<number, Buffer>) => committed.push([...blocks.keys()]);
    return new BlockDevice(file, blockSize, count, { commit, close: () => undefined });
  };
  const textAt = (block: number): string =>
    readFileSync(image).toString('latin1', block * blockSize, block * blockSize + 1);

  beforeEach(() => {
    image = join(folder(), 'image');
    writeFileSync(image, Buffer.alloc(blockSize * count, '-'));
  });
  afterEach(() => closeSync(file));

  it('are there before the blocks that refer to them, in the order in which they came', () => {
    const device = open('r+');
    ['a', 'b', 'c'].forEach((text, index) => device.writeContent(5 + index, 0, filled(text)));
    device.writeContent(20, 0, filled('d'));
    device.writeContent(6, 0, filled('e'));
    device.fresh(1);
    device.commit();
    assert.deepEqual([5, 6, 7, 8, 20].map(textAt), ['a', 'e', 'c', '-', 'd']);
    assert.deepEqual(committed, [[1]]);
  });

  it('are one write when they lie one after the other', () => {
    const device = open('r+');
    device.writeContent(5, 0, filled('a'));
    device.writeContent(6, 0, filled('b'));
    assert.deepEqual([5, 6].map(textAt), ['-', '-']);
    device.writeContent(30, 0, filled('c'));
    assert.deepEqual([5, 6, 30].map(textAt), ['a', 'b', '-']);
  });

  it('are read as they will be', () => {
    const device = open('r+');
    device.writeContent(5, 0, filled('a'));
    const into = Buffer.alloc(2 * blockSize);
    device.readContent(4, 0, into);
    assert.deepEqual(
      [into.toString('latin1', 0, 1), into.toString('latin1', blockSize, blockSize + 1)],
      ['-', 'a'],
    );
  });

  it('are read as they are, one after the other or not, also when they change in between', () => {
    const device = open('r+');
    const read = (block: number, size = blockSize): string => {
      const into = Buffer.alloc(size);
      device.readContent(block, 0, into);
      return into.toString('latin1', 0, 1) + into.toString('latin1', size - 1);
    };
    for (let block = 0; block < count; block++) {
      device.writeContent(block, 0, filled(String.fromCharCode(0x30 + block)));
    }
    assert.deepEqual(
      [4, 5, 6, 7].map((block) => read(block)),
      ['44', '55', '66', '77'],
    );
    device.writeContent(8, 0, filled('x'));
    assert.deepEqual(
      [8, 9, 5, 63].map((block) => read(block)),
      ['xx', '99', '55', 'oo'],
    );
    assert.deepEqual([read(10, 100), read(11, 100), read(12)], ['::', ';;', '<<']);
    device.edit(13).fill('y');
    device.commit();
    // The log of this test writes nothing, so whoever reads the file sees what was there.
    writeFileSync(image, Buffer.alloc(blockSize * count, 'z'));
    assert.equal(read(13), 'zz');
  });

  it('are read as they will be, also where more was read ahead before they were written', () => {
    const device = open('r+');
    const into = Buffer.alloc(blockSize);
    const read = (block: number): string => {
      device.readContent(block, 0, into);
      return into.toString('latin1', 0, 1);
    };
    device.writeContent(6, 0, filled('a'));
    assert.deepEqual([3, 4, 5, 6, 7].map(read), ['-', '-', '-', 'a', '-']);
  });

  it('let nothing be committed that refers to them when they were lost on behalf of another one', () => {
    const device = open('r');
    device.writeContent(5, 0, filled('a'));
    device.fresh(1);
    assert.throws(() => device.writeContent(20, 0, filled('b')), { code: 'EBADF' });
    assert.throws(() => device.commit(), { code: 'no_space' });
    assert.throws(() => device.commit(), { code: 'no_space' });
    device.rollback();
    device.fresh(2);
    device.commit();
    assert.deepEqual(committed, [[2]]);
  });

  it('let nothing be committed when they can not be written, and are counted as lost', () => {
    const device = open('r');
    device.writeContent(5, 0, filled('a'));
    device.fresh(1);
    assert.throws(() => device.commit(), { code: 'EBADF' });
    assert.deepEqual([committed, device.losses], [[], 1]);
    device.rollback();
    device.fresh(2);
    device.commit();
    assert.deepEqual(committed, [[2]]);
  });
});

describe('the content of a file', () => {
  const folder = useTempFolder();

  it('is zeros where it has holes, and where nothing was written yet', () => {
    const image = join(folder(), 'image');
    writeFileSync(image, Buffer.alloc(blockSize * count, 'a'));
    const file = openSync(image, 'r');
    try {
      const extents = [
        { logical: 1, physical: 5, count: 1, written: true },
        { logical: 2, physical: 6, count: 1, written: false },
        { logical: 4, physical: 7, count: 1, written: true },
      ];
      const content = new FileReader(
        new BlockDevice(file, blockSize, count, undefined),
        extents,
        5.5 * blockSize,
      );
      const into = Buffer.alloc(5.5 * blockSize, 'x');
      content.readInto(into, 0);
      const shown = (bytes: Buffer): string => bytes.toString('latin1').replaceAll('\0', '-');
      const [data, hole] = ['a'.repeat(blockSize), '-'.repeat(blockSize)];
      const whole = hole + data + hole + hole + data + hole.slice(blockSize / 2);
      assert.equal(shown(into), whole);
      assert.equal(shown(content.read(1500, 9999)), whole.slice(1500));
      assert.equal(shown(content.read(2 * blockSize, 10)), '-'.repeat(10));
      assert.equal(content.read(9999, 10).length, 0);
    } finally {
      closeSync(file);
    }
  });
});
