import assert from 'node:assert/strict';
import { changeVariables } from '../../../../src/backend/store/variables';
import { failure } from '../../../support/errors';
import { useEngine, type TestEngine } from '../../../support/engine/engine';

const many = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`V${index}`, '']));

describe('services: changes of variables', () => {
  it('keeps what is not named, replaces what is, and takes away what is null', () => {
    assert.deepEqual(changeVariables({ A: '1', B: '2' }, { B: '3', C: '4', A: null, D: null }, 'env'), {
      ...{ B: '3', C: '4' },
    });
  });

  it('refuses the 65th and names the field, and lets too many become fewer', () => {
    assert.throws(() => changeVariables(many, { W: '' }, 'env'), { code: 'bad_request', field: 'env' });
    assert.equal(Object.keys(changeVariables(many, { W: '', V0: null }, 'env')).length, 64);
    assert.equal(Object.keys(changeVariables({ ...many, X: '', Y: '' }, { X: null }, 'env')).length, 65);
  });

  describe('of a workspace', () => {
    const { start } = useEngine();
    let test: TestEngine;
    beforeEach(async () => {
      test = await start();
      await test.create('demo', { env: { A: '1', B: '2' }, secrets: { S: 's', T: 't' } });
    });

    it('merges environment and secrets, and forgets the value of a secret that is gone', async () => {
      const { workspaces } = test.services;
      const { spec } = await workspaces.update('demo', { env: { A: null, C: '3' }, secrets: { S: null } });
      assert.deepEqual([spec.env, spec.secretNames], [{ B: '2', C: '3' }, ['T']]);
      await workspaces.update('demo', { secrets: { T: null } });
      assert.deepEqual(workspaces.get('demo').spec.secretNames, []);
    });

    it('changes nothing when there would be too many', async () => {
      const { workspaces } = test.services;
      await failure(workspaces.update('demo', { env: many }), 'bad_request');
      await failure(workspaces.update('demo', { label: 'x', secrets: many }), 'bad_request');
      const { label, spec } = workspaces.get('demo');
      assert.deepEqual([label, spec.secretNames], ['demo', ['S', 'T']]);
    });
  });
});
