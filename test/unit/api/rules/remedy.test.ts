import assert from 'node:assert/strict';
import { BerthError, fromErrorBody, parseErrorBody } from '../../../../src/api/errors';
import { hintOf, isRemedy } from '../../../../src/api/rules/remedy';

describe('api/rules/remedy', () => {
  it('is the last sentence of a hint', () => {
    assert.equal(hintOf('Free some space there.', 'start'), 'Free some space there. Then start it again.');
    assert.equal(hintOf(undefined, 'restart'), 'Stop it and start it again.');
    assert.equal(hintOf('Free some space there.', undefined), 'Free some space there.');
    assert.equal(hintOf(undefined, undefined), undefined);
  });

  it('can be another one, with the same to do before it', () => {
    const error = new BerthError('no_space', 'Full.', {
      first: 'Make room.',
      remedy: 'start',
      field: 'home',
    });
    const other = error.withRemedy('create');
    assert.deepEqual(other.toBody(), {
      code: 'no_space',
      message: 'Full.',
      hint: 'Make room. Then create it again.',
      field: 'home',
      remedy: 'create',
    });
    assert.equal(other.cause, error);
  });

  it('survives the way to a client, and is none of another version', () => {
    const body = new BerthError('in_use', 'Taken.', { remedy: 'start' }).toBody();
    const parsed = parseErrorBody({ error: body });
    assert.ok(parsed);
    assert.deepEqual(fromErrorBody(parsed).toBody(), body);
    assert.equal(parseErrorBody({ error: { ...body, remedy: 'toString' } })?.remedy, undefined);
    assert.equal(isRemedy(undefined), false);
  });
});
