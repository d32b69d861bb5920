import assert from 'node:assert/strict';
import { textOfFiles } from '../../../../../src/backend/files/agent/search';

const paths = ['/a', '/b'];
const counts = { done: 2, searched: 2, binary: 0, too_large: 0, unread: 0 };
const payload = Buffer.from('needle');

describe('files/agent/search', () => {
  it('cuts what has come into pieces of files', () => {
    const files = [
      [0, [[3, 4]]],
      [
        1,
        [
          [1, 0],
          [2, 2],
        ],
      ],
    ];
    assert.deepEqual(textOfFiles(paths, { ok: { ...counts, files }, payload }).files, [
      { path: '/a', pieces: [{ line: 3, content: Buffer.from('need') }] },
      {
        path: '/b',
        pieces: [
          { line: 1, content: Buffer.from('') },
          { line: 2, content: Buffer.from('le') },
        ],
      },
    ]);
  });

  it('believes nothing that can not be', () => {
    for (const ok of [
      { ...counts },
      { ...counts, files: [], done: 0 },
      { ...counts, files: [], done: 3 },
      { ...counts, files: [], searched: -1 },
      { ...counts, files: [], binary: 1e9 },
      { ...counts, files: [], unread: 'none' },
      { ...counts, files: ['x'] },
      { ...counts, files: [[2, []]] },
      { ...counts, files: [[0.5, []]] },
      { ...counts, files: [[0, [[0, 1]]]] },
      { ...counts, files: [[0, [[1, 7]]]] },
      { ...counts, files: [[0, [[1, -1]]]] },
    ]) {
      assert.throws(() => textOfFiles(paths, { ok, payload }), /answered/, JSON.stringify(ok));
    }
  });
});
