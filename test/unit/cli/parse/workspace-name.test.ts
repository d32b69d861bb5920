import assert from 'node:assert/strict';
import { BerthError } from '../../../../src/api';
import { namePattern } from '../../../../src/api/rules/names';
import { checkWorkspaceName } from '../../../../src/cli/parse/workspace-name';

function hintFor(name: string): string {
  try {
    checkWorkspaceName(name);
  } catch (error) {
    assert(error instanceof BerthError);
    assert.equal(error.code, 'bad_request');
    assert.doesNotMatch(`${error.message} ${error.hint}`, /\^\[/, 'no regular expression');
    return error.hint ?? '';
  }
  return 'is right';
}

describe('cli/parse/workspace-name', () => {
  it('says the rule in words, and the nearest name that is right', () => {
    assert.match(hintFor('Nc-Big'), /lowercase letters.*: try `nc-big`\.$/);
    for (const name of ['My App!', '-a', 'a-', 'Ünder_score', `X${'y'.repeat(80)}`, `${'a'.repeat(62)}--b`]) {
      const [, nearest = ''] = /try `(.*)`/.exec(hintFor(name)) ?? [];
      assert.match(nearest, new RegExp(namePattern), name);
    }
    assert.match(hintFor('…'), /with a hyphen\.$/, 'there is none');
    assert.match(hintFor(''), /with a hyphen\.$/);
    assert.equal(hintFor('nc-big'), 'is right');
  });
});
