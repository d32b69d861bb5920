import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { isElsewhere } from '../../../../../../src/backend/drivers/containers/engine/reach';

describe('drivers/containers/engine/reach: whether an engine is on another machine', () => {
  it('is so behind ssh, and at addresses that are none of this machine', async () => {
    assert.equal(await isElsewhere({ ssh: { host: 'localhost' } }), true);
    assert.equal(await isElsewhere({ host: '192.0.2.1', port: 2376 }), true);
    assert.equal(await isElsewhere({ host: 'no-such-name.invalid', port: 2376 }), true);
  });

  it('is not so at sockets, on loopback, and at the addresses of this machine', async () => {
    assert.equal(await isElsewhere({ socketPath: '/var/run/docker.sock' }), false);
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      assert.equal(await isElsewhere({ host, port: 2375 }), false, host);
    }
    const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
    for (const host of own) {
      assert.equal(await isElsewhere({ host, port: 2375 }), false, host);
    }
  });
});
