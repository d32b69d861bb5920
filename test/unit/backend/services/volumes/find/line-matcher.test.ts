import assert from 'node:assert/strict';
import { lineMatcher, needleOf } from '../../../../../../src/backend/services/volumes/find/line-matcher';
import { failure } from '../../../../../support/errors';

const content = 'one two\r\nOne.two\n\ntwoone (x)\n';
const whole = (text: string) => ({ line: 1, content: Buffer.from(text) });
const lines = (query: Parameters<typeof lineMatcher>[0], text = content, limit = 100) =>
  lineMatcher(query)([whole(text)], limit).map(({ line, column, length }) => [line, column, length]);

describe('services/volumes/find/line-matcher', () => {
  it('finds text as it is written, whatever it would mean in an expression', () => {
    assert.deepEqual(lines({ text: 'two' }), [
      [1, 5, 3],
      [2, 5, 3],
      [4, 1, 3],
    ]);
    assert.deepEqual(lines({ text: 'one.two' }), [[2, 1, 7]]);
    assert.deepEqual(lines({ text: '(x)' }), [[4, 8, 3]]);
    for (const text of ['--help', '-e', '$(id)', '`id`', '\\', '[', '*', "'; rm -rf /", '{2}', '/', '|']) {
      assert.deepEqual(lines({ text }, `a\n${text}\n`), [[2, 1, text.length]], text);
      assert.deepEqual(lines({ text }, 'a\nb\n'), [], text);
    }
  });

  it('knows case, words and expressions', () => {
    assert.deepEqual(lines({ text: 'One', caseSensitive: true }), [[2, 1, 3]]);
    assert.deepEqual(lines({ text: 'one', word: true }), [
      [1, 1, 3],
      [2, 1, 3],
    ]);
    assert.deepEqual(lines({ text: 'tür', word: true }, 'türe\neine tür.\n'), [[2, 6, 3]]);
    assert.deepEqual(lines({ text: 'two$', regex: true }), [
      [1, 5, 3],
      [2, 5, 3],
    ]);
    assert.deepEqual(lines({ text: 'n.*t', regex: true }, content, 1), [[1, 2, 4]]);
  });

  it('says what is no expression, and ends one that takes too long', async () => {
    const broken = await failure(Promise.resolve().then(() => lineMatcher({ text: '(', regex: true })));
    assert.equal(broken.field, 'text');
    const begun = Date.now();
    const endless = { text: '^(a+)+$', regex: true };
    const slow = await failure(Promise.resolve().then(() => lines(endless, `${'a'.repeat(60)}b`)));
    assert.deepEqual([slow.code, slow.field], ['bad_request', 'text']);
    assert.ok(Date.now() - begun < 5_000);
    assert.deepEqual(lines(endless, 'aaa'), [[1, 1, 3]]);
  });

  it('shows of a long line what is around the match', () => {
    const long = `${'x'.repeat(5_000)}needle${'y'.repeat(5_000)}`;
    const [found] = lineMatcher({ text: 'needle' })([whole(long)], 1);
    assert.ok(found);
    assert.equal(found.column, 5_001);
    assert.ok(found.text.includes('needle') && found.text.length <= 402, found.text);
  });

  it('numbers lines of pieces, and takes no more than are wanted', () => {
    const pieces = [
      { line: 7, content: Buffer.from('a needle\r') },
      { line: 90, content: Buffer.from('none\nneedle\nneedle') },
    ];
    const found = lineMatcher({ text: 'needle' })(pieces, 2);
    assert.deepEqual(
      found.map(({ line, column, text }) => [line, column, text]),
      [
        [7, 3, 'a needle'],
        [91, 1, 'needle'],
      ],
    );
  });

  it('knows a part that all lines have which match', () => {
    for (const [query, needle] of [
      [{ text: 'one two' }, 'one two'],
      [{ text: 'Task lists' }, ' li'],
      [{ text: 'Task lists', caseSensitive: true }, 'Task lists'],
      [{ text: 'ks' }, undefined],
      [{ text: 'größte Über', caseSensitive: true }, 'te '],
      [{ text: '検索 x' }, '検索 x'],
      [{ text: 'a.*b', regex: true }, undefined],
    ] as const) {
      assert.equal(needleOf(query), needle, JSON.stringify(query));
    }
    // What has no place in the needle, as it is found in what has other bytes.
    assert.deepEqual(lines({ text: 'kiss' }, '\u212ai\u017f\u017f'), [[1, 1, 4]]);
  });
});
