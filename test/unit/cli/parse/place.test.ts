import assert from 'node:assert/strict';
import { BerthError } from '../../../../src/api';
import { parsePlace, parseRemote } from '../../../../src/cli/parse/place';

const named = (name: string, path: string) => ({ kind: 'named', name, path });
const volume = (name: string, path: string) => ({ kind: 'volume', name, path });
const local = (path: string) => ({ kind: 'local', path });

describe('cli/parse/place', () => {
  const cases: [string, object][] = [
    ['demo:/a/b', named('demo', '/a/b')],
    ['demo:a/b', named('demo', 'a/b')],
    ['demo:', named('demo', '')],
    ['demo:/', named('demo', '/')],
    ['demo:/a//b/./c/', named('demo', '/a//b/./c/')],
    ['demo:~/a', named('demo', '~/a')],
    ['demo:../a', named('demo', '../a')],
    ['demo:/a:b', named('demo', '/a:b')],
    ['volume:cache:/a', volume('cache', '/a')],
    ['volume:cache', volume('cache', '/')],
    ['volume:cache:', volume('cache', '/')],
    ['volume:My_Vol.1:/workspace/x', volume('My_Vol.1', '/workspace/x')],
    ['a/b', local('a/b')],
    ['a', local('a')],
    ['./demo:/a', local('./demo:/a')],
    ['/demo:/a', local('/demo:/a')],
    ['a/b:c', local('a/b:c')],
    ['../x', local('../x')],
    ['.', local('.')],
    ['~/x', local('~/x')],
  ];
  for (const [text, place] of cases) {
    it(`reads "${text}"`, () => {
      assert.deepEqual(parsePlace(text, 'linux'), place);
    });
  }

  it('takes a drive letter for a local path on Windows alone', () => {
    assert.deepEqual(parsePlace('c:\\x', 'win32'), local('c:\\x'));
    assert.deepEqual(parsePlace('c:/x', 'win32'), local('c:/x'));
    assert.deepEqual(parsePlace('c:/x', 'linux'), named('c', '/x'));
  });

  it('refuses to leave the volume', () => {
    for (const bad of ['volume:c:../x', 'volume:c:/a/../../x', 'volume:c:..']) {
      assert.throws(() => parsePlace(bad), BerthError, bad);
    }
    assert.deepEqual(parsePlace('volume:c:/a/..b'), volume('c', '/a/..b'));
  });

  it('refuses nothing at all', () => {
    assert.throws(() => parsePlace(''), BerthError);
  });

  it('reads a bare name where nothing local is meant', () => {
    assert.deepEqual(parseRemote('demo'), named('demo', ''));
    assert.deepEqual(parseRemote('volume:demo'), volume('demo', '/'));
    assert.throws(() => parseRemote('./demo'), /path of this machine/);
  });
});
