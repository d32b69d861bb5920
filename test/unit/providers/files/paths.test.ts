import assert from 'node:assert/strict';
import { baseName, isInside, joinPath, parentPath } from '../../../../src/api/rules/volume-path';
import { nameProblem, normalized, topmost } from '../../../../src/providers/files/paths';

describe('paths inside volumes', () => {
  it('have parents and names', () => {
    assert.equal(parentPath('/a/b'), '/a');
    assert.equal(parentPath('/a'), '/');
    assert.equal(baseName('/a/b.txt'), 'b.txt');
    assert.equal(joinPath('/', 'a'), '/a');
    assert.equal(joinPath('/a', 'b/c'), '/a/b/c');
  });

  it('lie within themselves and their ancestors, and not in siblings of a like name', () => {
    assert.ok(isInside('/a', '/a'));
    assert.ok(isInside('/a/b', '/a'));
    assert.ok(isInside('/a', '/'));
    assert.ok(!isInside('/ab', '/a'));
  });

  it('are reduced to the topmost, each once', () => {
    assert.deepEqual(topmost(['/a/b', '/a', '/c', '/c', '/ab']), ['/a', '/c', '/ab']);
  });

  it('are never led above the root by what is typed', () => {
    assert.equal(normalized(' src/../x/ '), '/x');
    assert.equal(normalized('/../../etc'), '/etc');
    assert.equal(normalized(''), '/');
  });

  it('have names that a file system takes', () => {
    assert.equal(nameProblem('notes.txt'), undefined);
    assert.equal(nameProblem(' '), 'empty');
    assert.equal(nameProblem('a/b'), 'slash');
    assert.equal(nameProblem('..'), 'dots');
    assert.equal(nameProblem('ü'.repeat(128)), 'long');
    assert.equal(nameProblem('ü'.repeat(127)), undefined);
  });
});
