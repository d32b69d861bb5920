import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { formatMode } from '../../../../src/cli/format/mode';
import { formatFields, formatTable } from '../../../../src/cli/format/table';

describe('cli/format/table', () => {
  it('aligns columns, right where asked, without trailing blanks', () => {
    const table = formatTable(
      [{ title: 'NAME' }, { title: 'SIZE', right: true }, { title: 'NOTE' }],
      [
        ['a', '1 B', ''],
        ['longer', '100 KiB', 'x'],
      ],
    );
    assert.equal(table, 'NAME       SIZE  NOTE\na           1 B\nlonger  100 KiB  x');
  });

  it('aligns what has colours and wide characters', () => {
    const table = formatTable(
      [{ title: 'A', styled: true }, { title: 'B' }],
      [
        ['\u001b[31m日本\u001b[0m', '1'],
        ['abcd', '2'],
      ],
    );
    assert.deepEqual(
      table.split('\n').map((line) => stripVTControlCharacters(line)),
      ['A     B', '日本  1', 'abcd  2'],
    );
  });

  it('leaves fields without a value out', () => {
    assert.equal(
      formatFields([
        ['a', '1'],
        ['none', undefined],
        ['long', '2'],
      ]),
      'a     1\nlong  2',
    );
  });

  it('writes modes like ls', () => {
    assert.equal(formatMode('directory', 0o755), 'drwxr-xr-x');
    assert.equal(formatMode('file', 0o640), '-rw-r-----');
    assert.equal(formatMode('symlink', 0o777), 'lrwxrwxrwx');
  });
});
