import assert from 'node:assert/strict';
import { Store } from '../../../../src/ui/store';
import { volumeNamed } from '../../../../src/providers/files/volume-names';
import { volume } from '../fixtures';

describe('providers/files/volume-names', () => {
  const store = new Store();
  after(() => store.dispose());

  it('finds a volume whose capitals VS Code took away', () => {
    const volumes = [volume('Their_Data'), volume('ours'), volume('OURS')];
    store.loadSnapshot({ workspaces: [], volumes, operations: [], drivers: [] });
    assert.equal(volumeNamed(store, 'their_data'), 'Their_Data');
    assert.equal(volumeNamed(store, 'ours'), 'ours');
    assert.equal(volumeNamed(store, 'OURS'), 'OURS');
    assert.equal(volumeNamed(store, 'unknown'), 'unknown');
    assert.equal(volumeNamed(store, 'rootfs@demo'), 'rootfs@demo');
  });
});
