import assert from 'node:assert/strict';
import { transferTitle } from '../../../../../src/backend/services/transfers/begin';

describe('services/transfers/begin: what a transfer is called', () => {
  it('names one thing by its name, many by their number, and where they go', () => {
    const to = { volume: 'rootfs@demo', path: '/opt' };
    assert.equal(transferTitle({ from: { local: ['/tmp/a b'] }, to }), 'Copy a b to demo:/opt');
    assert.equal(
      transferTitle({ from: { volume: 'data', paths: ['/x', '/y'] }, to: { local: '/tmp' }, move: true }),
      'Move 2 items to /tmp',
    );
    assert.equal(
      transferTitle({ from: { volume: 'data', paths: ['/'] }, to: { volume: 'other', path: '/' } }),
      'Copy data to other:/',
    );
  });
});
