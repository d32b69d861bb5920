import assert from 'node:assert/strict';
import { transferResultOf } from '../../../../src/api/rules/results';

describe('results of operations', () => {
  const result = {
    ...{ files: 1, bytes: 2, skipped: [], renamed: [{ from: 'a', to: 'b' }] },
    failed: [{ path: '/x', reason: 'it is a socket' }],
  };

  it('of transfers are as the contract has them', () => {
    assert.deepEqual(transferResultOf({ id: '1', result }), result);
  });

  it('of another kind are not taken for one', () => {
    const others = [
      undefined,
      {},
      { removed: 1, failed: [] },
      { ...result, failed: ['/x'] },
      { ...result, files: '1' },
    ];
    for (const other of others) {
      assert.throws(() => transferResultOf({ id: '1', result: other }), { code: 'internal' });
    }
  });
});
