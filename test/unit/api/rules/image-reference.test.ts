import assert from 'node:assert/strict';
import {
  checkImage,
  imageName,
  parseImageName,
  versionOf,
  withTag,
} from '../../../../src/api/rules/image-reference';

const digest = `sha256:${'0a'.repeat(32)}`;

describe('names of images', () => {
  it('have a repository, a registry, a path and a version', () => {
    const parse = (text: string): unknown[] => {
      const name = imageName(text);
      return [name.repository, name.registry, name.path, versionOf(name)];
    };
    assert.deepEqual(parse('debian'), ['debian', undefined, 'debian', 'latest']);
    assert.deepEqual(parse('a/b:1'), ['a/b', undefined, 'a/b', '1']);
    assert.deepEqual(parse('127.0.0.1:5000/a/b'), ['127.0.0.1:5000/a/b', '127.0.0.1:5000', 'a/b', 'latest']);
    assert.deepEqual(parse('[::1]:5000/a:b'), ['[::1]:5000/a', '[::1]:5000', 'a', 'b']);
    assert.deepEqual(parse('localhost/a'), ['localhost/a', 'localhost', 'a', 'latest']);
    assert.deepEqual(parse('localhost:5000'), ['localhost', undefined, 'localhost', '5000']);
    assert.deepEqual(parse('ghcr.io/a/b:x'), ['ghcr.io/a/b', 'ghcr.io', 'a/b', 'x']);
    assert.deepEqual(parse('docker.io/library/a'), ['docker.io/library/a', undefined, 'library/a', 'latest']);
    assert.deepEqual(parse(`a@${digest}`), ['a', undefined, 'a', digest]);
    assert.deepEqual(parse(`r.example/a:1@${digest}`), ['r.example/a', 'r.example', 'a', digest]);
    assert.deepEqual(parse(digest), ['sha256', undefined, 'sha256', digest.slice(7)]);
    assert.equal(withTag('r.example:1/a'), 'r.example:1/a:latest');
    assert.equal(withTag(`a@${digest}`), `a@${digest}`);
  });

  const wrong = [
    '',
    '.',
    '..',
    'a//b',
    '/a',
    'a/',
    'a/./b',
    'a/../b',
    './x',
    '../../127.0.0.1:1/x',
    'http://e/x',
  ];
  wrong.push(
    'A',
    'a/B',
    'A/b',
    'Debian/slim:1',
    'a:',
    'a:-x',
    `a:${'t'.repeat(129)}`,
    'a b',
    'a\nb',
    'a:1\n',
    'a?b',
    'a#b',
    'a%2fb',
    'a\\b',
  );
  wrong.push(
    'a@',
    'a@sha256:12',
    `a@${digest}@${digest}`,
    `a@${digest}\n`,
    'a:1:2',
    'é',
    'a.b:port/x',
    '-a.b/x',
  );
  wrong.push('a'.repeat(256), 'a-'.repeat(50_000), `r.example/${'a/'.repeat(120)}aaaaaaa`);
  for (const text of wrong) {
    it(`are not ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.equal(parseImageName(text), undefined);
      const isShort = (error: Error): boolean => error.message.length < 200 && !error.message.includes('\n');
      assert.throws(() => imageName(text), { code: 'bad_request', field: 'image' });
      assert.throws(() => imageName(text), isShort);
    });
  }

  it('are quick to refuse when they are made to be slow', () => {
    const before = performance.now();
    for (const text of [`${'a-'.repeat(250)}!`, `${'a.'.repeat(250)}/a`, `${'a/'.repeat(250)}!`]) {
      assert.equal(parseImageName(text), undefined);
    }
    assert(performance.now() - before < 200);
  });

  it('of files are for microVMs only, which the error says', () => {
    for (const image of [
      '/any/path.ext4',
      './x',
      '../x',
      '~/x',
      'oci:/a:b',
      'docker-archive:/a',
      'C:\\x.ext4',
    ]) {
      const hint = /--runtime microvm/;
      assert.throws(
        () => checkImage(image, 'container'),
        { code: 'bad_request', field: 'image', hint },
        image,
      );
      checkImage(image, 'microvm');
    }
    for (const runtime of ['container', 'microvm'] as const) {
      assert.throws(() => checkImage('a//b', runtime), { code: 'bad_request', field: 'image' });
      for (const name of ['a/b:1', 'oci:latest', 'oci:5000/x', 'docker-archive:5000/x:1']) {
        checkImage(name, runtime);
      }
    }
  });
});
