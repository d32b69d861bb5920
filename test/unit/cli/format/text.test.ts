import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import stringWidth from 'string-width';
import {
  clip,
  clipMiddle,
  inOneLine,
  isNarrow,
  printable,
  printableJson,
  printableLines,
  PrintableStream,
  width,
} from '../../../../src/cli/format/text';
import { createStyle } from '../../../../src/cli/terminal/style';

describe('cli/format/text', () => {
  it('makes control characters harmless', () => {
    assert.equal(printable('a\u001b[31mb\nc\u009bd\u007f'), 'a?[31mb?c?d?');
    assert.equal(printable('Grüße 日本'), 'Grüße 日本');
  });

  it('puts what git and other programs say in one line', () => {
    assert.equal(
      inOneLine("Cloning into 'a'...\r\nfatal: no\n\u001b[2J"),
      "Cloning into 'a'... fatal: no ?[2J",
    );
  });

  it('lets nobody turn the direction of text', () => {
    assert.equal(printable('a\u202egpj.exe\u2066b\u2028c'), 'a?gpj.exe?b?c');
  });

  it('keeps lines and colours of ours in a text of several lines, and nothing else that drives a terminal', () => {
    const style = createStyle(true, true);
    const ours = `${style.red('error:')} a\tb\n${style.dim('c')}`;
    assert.equal(printableLines(ours), ours);
    assert.equal(
      printableLines('\u001b[8mhidden \u001b]0;title\u0007 \u001b[2J\r\u009b'),
      '?[8mhidden ?]0;title? ?[2J??',
    );
  });

  it('escapes in JSON what JSON leaves as it is', () => {
    const value = { a: 'x\u009by\u007fz\u202e', b: '\u001b[31m\n' };
    const shown = printableJson(JSON.stringify(value, null, 2));
    assert.doesNotMatch(shown, /[^\P{Cc}\n]|\u202e/u);
    assert.deepEqual(JSON.parse(shown), value);
  });

  it('makes a stream harmless wherever it is cut', () => {
    const bytes = Buffer.from(
      'ok \u001b[1;31mrot\u001b[0m Grüße\r\n50 %\rtitle \u001b]0;x\u0007\u009b2J\tend\u001b[',
      'utf8',
    );
    const expected = 'ok rot Grüße\n50 %?title ?]0;x??2J\tend?[';
    for (let size = 1; size <= bytes.length; size += 1) {
      const stream = new PrintableStream();
      let text = '';
      for (let at = 0; at < bytes.length; at += size) {
        text += stream.push(bytes.subarray(at, at + size));
      }
      assert.equal(text + stream.end(), expected, `${size} bytes each`);
    }
    const long = new PrintableStream();
    assert.match(
      long.push(Buffer.from(`\u001b[${'1;'.repeat(1000)}`)),
      /^\?\[1;/,
      'nothing is held for ever',
    );
  });

  const colours = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g');
  const columns: [string, number, string][] = [
    ['\u001b[1;31mred\u001b[0m', 3, 'colours take none'],
    ['日本ｶﾅ', 6, 'wide and half-width'],
    ['한\u1112\u1161\u11ab', 4, 'Hangul, composed and not'],
    ['é', 1, 'composed'],
    ['e\u0301n\u0303', 2, 'combining marks'],
    ['a\u20dd', 1, 'an enclosing mark'],
    ['a\u200bb\u2060\ufeff', 2, 'what is not seen'],
    ['✅', 2, ''],
    ['⭐', 2, ''],
    ['⌚', 2, ''],
    ['⚡', 2, ''],
    ['❌', 2, ''],
    ['🚀', 2, ''],
    ['❤\ufe0f', 2, 'shown as a picture by its selector'],
    ['✔', 1, 'shown as text'],
    ['👨\u200d👩\u200d👧', 2, 'joined'],
    ['👍🏽', 2, 'with a colour of skin'],
    ['🇩🇪', 2, 'a flag'],
    ['1\ufe0f\u20e3', 2, 'a keycap'],
  ];
  for (const [text, expected, what] of columns) {
    it(`measures columns: ${JSON.stringify(text)} takes ${expected}${what && `: ${what}`}`, () => {
      assert.equal(width(text), expected);
    });
  }

  it('clips the middle, and keeps both ends', () => {
    assert.equal(clipMiddle('/short', 6), '/short');
    assert.equal(clipMiddle('/a/b/c/d/e/f', 7), '/a…/e/f');
    for (const text of ['/a/level-by-level/f'.repeat(90), '/é/日本語の名前/👩‍👩‍👧'.repeat(9)]) {
      for (const columns of [10, 11, 72]) {
        const clipped = clipMiddle(text, columns);
        assert(width(clipped) <= columns && width(clipped) >= columns - 4, clipped);
        const [start, end] = clipped.split('…');
        assert(text.startsWith(start!) && text.endsWith(end!) && end !== '', clipped);
      }
    }
  });

  it('clips to columns, and no character in two', () => {
    assert.equal(clip('short', 10), 'short');
    assert.equal(clip('exactly', 7), 'exactly');
    assert.equal(clip('much too long', 8), 'much to…');
    for (const text of [
      ...columns.map(([each]) => each),
      '日本日本日本',
      'e\u0301'.repeat(9),
      '👨\u200d👩\u200d👧 of us',
    ]) {
      const plain = text.replaceAll(colours, '');
      for (let room = 1; room <= width(plain) + 1; room += 1) {
        const clipped = clip(plain, room);
        assert(width(clipped) <= room, `${JSON.stringify(clipped)} in ${room}`);
        assert(clipped === plain || plain.startsWith(clipped.slice(0, -1)), clipped);
        assert.equal(clipped === plain, width(plain) <= room);
        const rest = clipped === plain ? '' : plain.slice(clipped.length - 1);
        assert.doesNotMatch(rest, /^(?:\p{M}|\u200d|\ufe0f)/u, 'a character was cut in two');
      }
    }
    const started = performance.now();
    assert.equal(width(clip('日本'.repeat(50_000), 80)), 79);
    assert(performance.now() - started < 1_000, 'what is cut away is not measured');
  });

  it('takes for narrow only what is so, alone and beside one another', () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code));
    const narrow = all.filter(isNarrow);
    assert(narrow.length > 300, `${narrow.length}`);
    assert.deepEqual(
      narrow.filter((each) => stringWidth(each) !== 1 || each.length !== 1),
      [],
    );
    const segmenter = new Intl.Segmenter();
    for (const first of narrow.filter((_, at) => at % 40 === 0)) {
      const line = narrow.map((second) => first + second).join('');
      assert.equal(stringWidth(line), line.length, JSON.stringify(first));
      assert.equal([...segmenter.segment(line)].length, line.length, JSON.stringify(first));
    }
  });

  it('reads the tables of Unicode for what needs them only: that takes as long as the start of Node', () => {
    const program = `
      const { width, clip, clipMiddle } = require(process.argv[1]);
      const seen = [];
      const { Segmenter } = Intl;
      Intl.Segmenter = class extends Segmenter { constructor() { super(); seen.push('segmenter'); } };
      width('demo  ✓ 12 % ███▏ Größe'); clip('a long name', 5); clipMiddle('a/long/path', 5);
      const before = seen.length;
      width('日本');
      process.stdout.write(JSON.stringify([before, seen.length > before]));
    `;
    const text = join(__dirname, '../../../../src/cli/format/text.js');
    assert.deepEqual(
      JSON.parse(execFileSync(process.execPath, ['-e', program, text], { encoding: 'utf8' })),
      [0, true],
    );
  });
});
