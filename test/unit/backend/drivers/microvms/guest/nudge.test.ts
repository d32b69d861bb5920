import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'ssh2';
import { Nudge } from '../../../../../../src/backend/drivers/microvms/guest/nudge';

describe('a guest that may have missed something', () => {
  it('is not asked once it has hung up, though what it sent before is not read yet', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).end('its last words'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const sock = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(sock, 'connect');
    sock.write('something');
    let asked = 0;
    const client = new Client();
    const unforwardIn = client.unforwardIn.bind(client);
    client.unforwardIn = (...how) => {
      asked += 1;
      return unforwardIn(...how);
    };
    const release = new Nudge(client, sock, 10).hold();
    try {
      // An error of the timer would end the engine, and this test.
      await sleep(300);
      assert(sock.writable && asked > 0);
    } finally {
      release();
      sock.destroy();
      server.close();
    }
  });
});
