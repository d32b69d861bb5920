import assert from 'node:assert/strict';
import { fillerOwner, isAbandoned } from '../../../../../../src/backend/drivers/containers/tools/filler-lock';

describe('drivers/containers/tools/filler-lock', () => {
  const mine = fillerOwner('mine');
  // Asked for anew: much time may pass until a test runs.
  const now = () => ({ Created: new Date().toISOString() });
  const old = { Created: new Date(Date.now() - 61_000).toISOString() };
  const abandoned = (owner: object | undefined, created = now()) =>
    isAbandoned(owner === undefined ? undefined : JSON.stringify(owner), mine, created, 60_000);

  it('respects another one that lives, however long it takes', () => {
    assert.equal(abandoned({ ...mine, instance: 'other' }), false);
    assert.equal(abandoned({ ...mine, instance: 'other' }, old), false);
  });

  it('knows a leftover of its own, and of a process that is gone', () => {
    assert.equal(abandoned(mine), true);
    assert.equal(abandoned({ ...mine, instance: 'other', startTime: '1' }), true);
    assert.equal(abandoned({ ...mine, instance: 'other', pid: 4_000_000 }), true);
  });

  it('goes by the age of what it can not judge: another machine, another boot, a container, no label', () => {
    const elsewhere = { ...mine, bootId: 'elsewhere' };
    const inContainer = { ...mine, instance: 'other', pidNamespace: 'pid:[1]', pid: 4_000_000 };
    for (const owner of [elsewhere, inContainer, undefined, { pid: 1 }]) {
      assert.equal(abandoned(owner), false);
      assert.equal(abandoned(owner, old), true);
    }
    assert.equal(isAbandoned('not JSON', mine, now(), 60_000), false);
  });
});
