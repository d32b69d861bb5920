import assert from 'node:assert/strict';
import { BerthError } from '../../../src/api';
import { TypedPaths } from '../../../src/cli/typed-paths';

function paths(...names: readonly (readonly [path: string, text: string])[]): TypedPaths {
  const known = new TypedPaths();
  names.forEach(([path, text]) => known.add(path, text));
  return known;
}

describe('cli: paths are told as they were typed', () => {
  it('what was typed, what is in it, and what it is in', () => {
    const known = paths(['/sub/q', 'demo:data/sub/q']);
    assert.equal(known.typed('/sub/q'), 'demo:data/sub/q');
    assert.equal(known.typed('/sub/q/a/b'), 'demo:data/sub/q/a/b');
    assert.equal(known.typed('/sub'), 'demo:data/sub');
    assert.equal(known.typed('/'), 'demo:data');
    assert.equal(known.typed('/other'), '/other');
    assert.equal(known.typed('/sub/queue'), '/sub/queue');
  });

  it('the roots of volumes and homes, however they are written', () => {
    for (const [text, inside] of [
      ['demo:', 'demo:x/y'],
      ['demo:/', 'demo:/x/y'],
      ['demo:.', 'demo:x/y'],
      ['demo:/.', 'demo:/x/y'],
      ['demo:data', 'demo:data/x/y'],
      ['demo:data/', 'demo:data/x/y'],
      ['demo:data/.', 'demo:data/x/y'],
      ['volume:v:/', 'volume:v:/x/y'],
    ] as const) {
      assert.equal(paths(['/', text]).typed('/x/y'), inside, text);
    }
  });

  it('the nearer of two, and none where both are as near', () => {
    const known = paths(['/', 'demo:'], ['/home/me/src', '/home/me/src']);
    assert.equal(known.typed('/home/me/src/f'), '/home/me/src/f');
    assert.equal(known.typed('/f'), 'demo:f');
    assert.equal(paths(['/q', 'a:q'], ['/q', 'b:q']).typed('/q/x'), '/q/x');
    const again = paths(['/q', 'a:q']);
    again.clear();
    again.add('/q', 'b:q');
    assert.equal(again.typed('/q/x'), 'b:q/x');
  });

  it('in messages, whatever is in a name', () => {
    const known = paths(['/a "b"\n', 'demo:d/a "b"\n'], ['/l', 'demo:link']);
    assert.equal(
      known.inMessage('"/a \\"b\\"\\n/c", or a part of it, is not a folder.'),
      '"demo:d/a \\"b\\"\\n/c", or a part of it, is not a folder.',
    );
    assert.equal(
      known.inMessage('"/" is a folder; "x" and "/broken\\q" are not.'),
      '"demo:d" is a folder; "x" and "/broken\\q" are not.',
    );
  });

  it('in errors, which are otherwise the same', () => {
    const error = new BerthError('path_exists', '"/q" exists already.', { hint: 'Do "/q".', field: 'to' });
    const { code, message, hint, field } = paths(['/q', 'demo:sub/q']).inError(error);
    assert.deepEqual(
      [code, message, hint, field],
      ['path_exists', '"demo:sub/q" exists already.', 'Do "/q".', 'to'],
    );
  });
});
