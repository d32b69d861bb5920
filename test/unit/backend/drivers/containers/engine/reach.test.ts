import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { machineOf } from '../../../../../../src/backend/drivers/containers/engine/reach';

describe('drivers/containers/engine/reach: the machine that an engine is on', () => {
  it('is another one behind ssh, and at addresses that are none of this machine', async () => {
    assert.equal(await machineOf({ ssh: { user: 'me', host: 'localhost' } }), 'localhost');
    assert.equal(await machineOf({ host: '192.0.2.1', port: 2376 }), '192.0.2.1');
    assert.equal(await machineOf({ host: 'no-such-name.invalid', port: 2376 }), 'no-such-name.invalid');
    assert.equal(await machineOf({ ssh: { host: 'local' } }), 'local.', 'it is not this one');
  });

  it('is this one at sockets, on loopback, and at the addresses of this machine', async () => {
    assert.equal(await machineOf({ socketPath: '/var/run/docker.sock' }), 'local');
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      assert.equal(await machineOf({ host, port: 2375 }), 'local', host);
    }
    const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
    for (const host of own) {
      assert.equal(await machineOf({ host, port: 2375 }), 'local', host);
    }
  });
});
