import assert from 'node:assert/strict';
import { foundText } from '../../../../src/commands/volume/found-text';

const line = (path: string, number: number, text: string, column = 1) => ({
  path,
  line: number,
  column,
  length: 1,
  text,
});

describe('commands/volume/found-text', () => {
  const { text, links } = foundText(
    ['“x” in data', '4 lines in 2 files'],
    [
      line('/src/b.py', 120, '\tx = 1', 2),
      line('/a\nfile', 3, 'x\rx'),
      line('/src/b.py', 7, 'x'),
      line('/src/b.py', 8, ''),
    ],
    (count) => `${count} found`,
  );

  it('groups lines by their files, each in one row', () => {
    assert.deepEqual(text.split('\n'), [
      '# “x” in data',
      '# 4 lines in 2 files',
      '',
      '/a file: 1 found',
      '  3: x x',
      '',
      '/src/b.py: 3 found',
      '    7: x',
      '    8: ',
      '  120: \tx = 1',
      '',
    ]);
  });

  it('links names to files, and numbers to lines', () => {
    const rows = text.split('\n');
    const linked = links.map(({ row, start, end, path, at }) => [
      rows[row]?.slice(start, end),
      path,
      ...(at === undefined ? [] : [at.line, at.column]),
    ]);
    assert.deepEqual(linked, [
      ['/a file', '/a\nfile'],
      ['3', '/a\nfile', 3, 1],
      ['/src/b.py', '/src/b.py'],
      ['7', '/src/b.py', 7, 1],
      ['8', '/src/b.py', 8, 1],
      ['120', '/src/b.py', 120, 2],
    ]);
  });
});
