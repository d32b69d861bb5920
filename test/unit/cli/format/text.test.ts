import assert from 'node:assert/strict';
import { clip, printable, width } from '../../../../src/cli/format/text';

describe('cli/format/text', () => {
  it('makes control characters harmless', () => {
    assert.equal(printable('a\u001b[31mb\nc\u009bd\u007f'), 'a?[31mb?c?d?');
    assert.equal(printable('Grüße 日本'), 'Grüße 日本');
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
