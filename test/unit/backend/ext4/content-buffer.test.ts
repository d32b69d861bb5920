import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockDevice } from '../../../../src/backend/ext4/block-device';
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
