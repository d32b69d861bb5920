import assert from 'node:assert/strict';
import { joinGlobs } from '../../../../../../src/api/rules/globs';
import { selectionOf } from '../../../../../../src/backend/services/volumes/find/globs';
import { failure } from '../../../../../support/errors';

const paths = ['a.ts', 'src/b.ts', 'src/deep/c.py', 'node_modules', 'x/node_modules/y.ts', '.git/config'];
const selected = (globs: string) => [...(selectionOf('include', globs)?.(paths) ?? ['all'])];

describe('services/volumes/find/globs', () => {
  it('counts at any depth without a slash, and from the top with one', () => {
    assert.deepEqual(selected('*.ts'), ['a.ts', 'src/b.ts', 'x/node_modules/y.ts']);
    assert.deepEqual(selected('src/*.ts'), ['src/b.ts']);
    assert.deepEqual(selected('./src/**/*.py'), ['src/deep/c.py']);
    assert.deepEqual(selected('node_modules, .git/'), ['node_modules', 'x/node_modules/y.ts', '.git/config']);
    assert.deepEqual(selected('src'), ['src/b.ts', 'src/deep/c.py']);
    assert.deepEqual(selected('*.{py,cfg}'), ['src/deep/c.py']);
  });

  it('may have commas of their own, in braces, after a backslash, or as each was given', () => {
    const names = ['a,b.txt', 'a', 'b.txt', 'c,d'];
    const chosen = (globs: string) => [...(selectionOf('include', globs)?.(names) ?? [])];
    assert.deepEqual(chosen('a\\,b.txt'), ['a,b.txt']);
    assert.deepEqual(chosen('a,b.txt'), ['a', 'b.txt']);
    assert.deepEqual(chosen(joinGlobs(['a,b.*', '{b,c}.txt', 'c\\,d'])), ['a,b.txt', 'b.txt', 'c,d']);
  });

  it('means all where there is none', () => {
    assert.deepEqual(selected(''), ['all']);
    assert.deepEqual(selected(' , '), ['all']);
  });

  it('takes nothing for an option or a comment, and ends what takes too long', async () => {
    assert.deepEqual(selected('--help'), []);
    assert.deepEqual(selected('!a.ts'), []);
    const slow = selectionOf('exclude', `${'*a'.repeat(40)}b`);
    const error = await failure(Promise.resolve().then(() => slow?.(['a'.repeat(250)])));
    assert.deepEqual([error.code, error.field], ['bad_request', 'exclude']);
  });
});
