import assert from 'node:assert/strict';
import { Value } from '@sinclair/typebox/value';
import { operationKinds, resultSchemaOf } from '../../../../src/api/operations/results';
import { kindOf, verbs } from '../../../../src/api/rules/lifecycle';
import { hasProduced, resultOf, transferFailures } from '../../../../src/api/rules/results';

const fits = (kind: string, result: unknown): boolean => {
  const schema = resultSchemaOf(kind);
  return schema !== undefined && Value.Check(schema, result);
};

describe('results of operations', () => {
  const result = {
    ...{ files: 1, bytes: 2, skipped: [], renamed: [{ from: 'a', to: 'b' }] },
    failed: [{ path: '/x', reason: 'it is a socket' }],
  };

  it('of transfers are as the contract has them', () => {
    assert.deepEqual(resultOf({ id: '1', kind: 'transfer', result }, 'transfer'), result);
    assert.ok(fits('transfer', result));
    assert.deepEqual(transferFailures({ kind: 'transfer', result }), { failed: 1, arrived: 1 });
  });

  it('of another kind are not taken for one, nor are operations without', () => {
    const others = [
      { id: '1', kind: 'transfer' },
      { id: '1', kind: 'removal', result: { removed: 1, failed: [] } },
      { id: '1', kind: 'a kind of later', result },
    ];
    for (const other of others) {
      assert.throws(() => resultOf(other, 'transfer'), { code: 'internal' });
      assert.equal(hasProduced(other, 'transfer'), false);
      assert.deepEqual(transferFailures(other), { failed: 0, arrived: 0 });
    }
  });

  it('that do not fit their kind are known by its schema', () => {
    for (const other of [{}, { ...result, failed: ['/x'] }, { ...result, files: '1' }]) {
      assert.equal(fits('transfer', other), false);
    }
    assert.equal(fits('removal', result), false);
    assert.ok(fits('workspace.stop', { state: 'stopped' }) && fits('workspace.stop', { changed: false }));
    assert.equal(fits('workspace.stop', { state: 'gone' }), false);
  });

  it('have a schema for the operations of every verb, and none for a kind that is not known', () => {
    for (const verb of verbs) {
      assert.ok(operationKinds.includes(kindOf(verb)), verb);
    }
    assert.equal(resultSchemaOf('a kind of later'), undefined);
  });
});
