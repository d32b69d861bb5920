import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { checkCloneOptions } from '../../../../src/api/rules/clone-address';
import { isBranchName } from '../../../../src/api/rules/branch-name';
import { failure } from '../../../support/errors';
import { useTempFolder } from '../../../support/temp';

const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code + 1));
const parts = [
  'a',
  '.',
  '..',
  '@',
  '@{',
  '{',
  '-',
  '/',
  '.lock',
  'HEAD',
  ' ',
  '~',
  '^',
  ':',
  '?',
  '*',
  '[',
  ']',
  '\\',
  '\x7f',
  'é',
  '“',
  '$',
  '`',
  "'",
];

/** All of two parts around a letter, and those of three that are about dots, slashes and at signs. */
function* names(): Generator<string> {
  const tricky = parts.slice(0, 8);
  for (const one of parts) {
    yield one;
    for (const other of parts) {
      yield `${one}x${other}`;
    }
  }
  for (const one of tricky) for (const two of tricky) for (const three of tricky) yield one + two + three;
  for (const control of controls) yield `x${control}y`;
  yield* ['feature/x-1', 'v1.0', 'HEAD/x', 'x/HEAD', 'refs/heads/x', 'x.lock/y', 'x.locks', 'a'.repeat(200)];
}

describe('api/rules/branch-name', () => {
  const folder = useTempFolder();

  it('takes what git takes as the name of a branch, and nothing else', function () {
    this.timeout(60_000);
    // `--branch` lets the short name of HEAD pass, and then there is no branch that has it.
    const all = [...new Set(names())].filter((name) => name !== '@');
    assert.equal(isBranchName('@'), false);
    // One shell for all: its arguments are the names.
    const script =
      'for name; do git check-ref-format --branch "$name" >/dev/null 2>&1 && echo yes || echo no; done';
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...all], { cwd: folder(), encoding: 'utf8' });
    const answers = stdout.trim().split('\n');
    assert.equal(answers.length, all.length);
    const wrong = all.filter((name, index) => isBranchName(name) !== (answers[index] === 'yes'));
    assert.deepEqual(wrong, []);
    const taken = answers.filter((answer) => answer === 'yes').length;
    assert.ok(taken > 100 && taken < all.length - 100, `${taken} of ${all.length} are names`);
  });

  it('is refused with its field, in words that quote it on one line', async () => {
    assert.equal(isBranchName('a\0b'), false);
    for (const cloneBranch of ['a..b', '-x', 'a\nb', '']) {
      const run = () => checkCloneOptions({ cloneUrl: 'https://example.org/a', cloneBranch });
      const { field, message } = await failure(run, 'bad_request');
      assert.equal(field, 'cloneBranch');
      assert.match(message, /is no name of a branch or tag/);
      assert.doesNotMatch(message, /\n/);
    }
    checkCloneOptions({ cloneUrl: 'https://example.org/a', cloneBranch: 'feature/a' });
  });
});
