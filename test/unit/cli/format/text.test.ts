import assert from 'node:assert/strict';
import {
  clip,
  inOneLine,
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

  it('measures columns: colours take none, wide characters two', () => {
    assert.equal(width('\u001b[1;31mred\u001b[0m'), 3);
    assert.equal(width('日本'), 4);
    assert.equal(width('é'), 1);
  });

  it('clips to columns', () => {
    assert.equal(clip('short', 10), 'short');
    assert.equal(clip('much too long', 8), 'much to…');
    assert.ok(width(clip('日本日本日本', 6)) <= 6);
  });
});
