import assert from 'node:assert/strict';
import { originOf } from '../../../../src/api/rules/home-volume';

describe('api/rules/home-volume', () => {
  it('knows by the name of a volume who made it', () => {
    assert.deepEqual(originOf('workspace-demo'), { name: 'demo', origin: 'ws' });
    assert.deepEqual(originOf('sandkasten-ws-user1'), { name: 'user1', origin: 'sandkasten' });
    assert.equal(originOf('data'), undefined);
    assert.equal(originOf('workspace-'), undefined);
    assert.equal(originOf('workspace-Not_A_Name'), undefined);
  });
});
