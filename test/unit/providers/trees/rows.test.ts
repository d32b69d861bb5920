import assert from 'node:assert/strict';
import { sortEntries } from '../../../../src/providers/trees/folder-listing';
import { RowCache, isDirectory, isRow, rowId, type VolumeRow } from '../../../../src/providers/trees/rows';
import { entry } from '../fixtures';

describe('rows', () => {
  it('keep one object per id, with the latest fields', () => {
    const cache = new RowCache<VolumeRow>();
    const first = cache.intern({ type: 'file', volume: 'v', path: '/a', entry: entry('a') });
    const second = cache.intern({ type: 'file', volume: 'v', path: '/a', entry: entry('a', { size: 9 }) });
    assert.equal(first, second);
    assert.equal(first.type === 'file' && first.entry.size, 9);
    assert.equal(cache.find('file:v:/a'), first);
  });

  it('are forgotten when they are gone', () => {
    const cache = new RowCache<VolumeRow>();
    cache.intern({ type: 'volume', name: 'v' });
    cache.drop((row) => row.type === 'volume' && row.name === 'v');
    assert.equal(cache.find('volume:v'), undefined);
  });

  it('of different volumes and kinds have different ids', () => {
    const ids = [
      rowId({ type: 'volume', name: 'v' }),
      rowId({ type: 'workspace', name: 'v' }),
      rowId({ type: 'file', volume: 'v', path: '/x', entry: entry('x') }),
      rowId({ type: 'file', volume: 'w', path: '/x', entry: entry('x') }),
      rowId({ type: 'more', volume: 'v', path: '/x', shown: 1, total: 2 }),
      ...['/home/workspace/x', '/workspace/x'].map((path) =>
        rowId({
          type: 'file',
          volume: 'v',
          path: '/x',
          entry: entry('x'),
          inside: { workspace: 'v', path, readOnly: false },
        }),
      ),
      rowId({ type: 'root', workspace: 'v' }),
    ];
    assert.equal(new Set(ids).size, ids.length);
  });

  it('are told from whatever else a command is called with', () => {
    assert.ok(isRow({ type: 'workspace', name: 'a' }));
    for (const other of [undefined, null, 'selection', {}, { type: 'something' }, 7]) {
      assert.ok(!isRow(other));
    }
  });

  it('put folders first, and links to folders with them', () => {
    const list = [
      entry('b.txt'),
      entry('z', { type: 'directory' }),
      entry('A.txt'),
      entry('link', { type: 'symlink', targetType: 'directory' }),
      entry('broken', { type: 'symlink', targetType: 'missing' }),
    ];
    assert.deepEqual(
      sortEntries(list).map(({ name }) => name),
      ['link', 'z', 'A.txt', 'b.txt', 'broken'],
    );
    assert.ok(!isDirectory(entry('broken', { type: 'symlink', targetType: 'missing' })));
  });
});
