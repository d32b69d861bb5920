import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Bench, eventually, text } from './support';

/** Answers what it was sent, in capitals and once it has all of it, to one connection after the other. */
const server = `
import socket
listener = socket.create_server(('127.0.0.1', 7000))
while True:
    peer, _ = listener.accept()
    got = b''
    while True:
        part = peer.recv(65536)
        if not part:
            break
        got += part
    peer.sendall(got.upper())
    peer.close()
`;

describe('a stream to a port of a container', function () {
  this.timeout(60_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  it('carries both directions whole, with their ends; one that nobody listens at ends at once', async () => {
    const plan = await bench.running({ network: 'off' });
    const argv = ['/.berth/bin/python3', '-c', server];
    const listening = await bench.driver.exec(plan.name, { argv, user: 'workspace' });
    const answer = async (sent: string): Promise<string> => {
      const stream = await bench.driver.dial(plan.name, 7000);
      stream.end(sent);
      return text(stream);
    };
    await eventually('the server', async () => (await answer('word')) === 'WORD');
    const large = 'x'.repeat(8_000_000);
    const answers = await Promise.all([answer(large), answer('second'), answer('third')]);
    assert.deepEqual([answers[0] === large.toUpperCase(), ...answers.slice(1)], [true, 'SECOND', 'THIRD']);
    const nobody = await bench.driver.dial(plan.name, 7001);
    assert.equal(await text(nobody), '');
    const ssh = await bench.driver.dial(plan.name, 22);
    const [greeting] = (await once(ssh, 'data')) as [Buffer];
    assert.match(greeting.toString(), /^SSH-2\.0-/);
    ssh.destroy();
    const relays = ['sh', '-c', 'grep -lE "^(nc|sshd)" /proc/[0-9]*/comm | wc -l'];
    await eventually('what carried them to be gone', async () => {
      const { stdout } = await bench.exec(plan.name, { argv: relays, user: 'root' });
      return Number(stdout) === 1;
    });
    await listening.kill();
    await assert.rejects(bench.driver.dial(plan.name, 70_000), { code: 'bad_request' });
    assert.equal(await bench.driver.directEndpoint(plan.name), undefined, 'nothing is published');
    await assert.rejects(bench.driver.directEndpoint(`${plan.name}-not`), { code: 'not_found' });
  });
});
