import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { ControlPort } from '../../../../../../src/backend/drivers/microvms/guest/control-port';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

describe('the line that leads a guest', () => {
  const folder = useTempFolder();
  let server: Server;
  let guest: Socket;
  let said = Buffer.alloc(0);
  let port: ControlPort;
  const never = new AbortController().signal;

  beforeEach(async () => {
    said = Buffer.alloc(0);
    const path = join(folder(), 'control');
    server = createServer().listen(path);
    await once(server, 'listening');
    const connecting = ControlPort.connect(path);
    [guest] = (await once(server, 'connection')) as [Socket];
    guest.on('error', () => undefined);
    guest.on('data', (chunk: Buffer) => (said = Buffer.concat([said, chunk])));
    port = await connecting;
  });
  afterEach(() => {
    port.close();
    guest.destroy();
    server.close();
  });

  it('waits for the guest to have booted, also when it said so before', async () => {
    const waiting = port.waiting(5_000, never);
    guest.write('noise\nwaiting 1\n');
    await waiting;
    await port.waiting(5_000, never);
  });

  /** Waits for a request, and answers its id. */
  async function request(pattern: RegExp): Promise<string> {
    await until(`${String(pattern)} is sent`, () => pattern.test(said.toString()));
    const id = pattern.exec(said.toString())?.[1] ?? '';
    said = Buffer.alloc(0);
    return id;
  }

  it('hands the archive over by its length, waits until it is taken, and answers what is said of it', async () => {
    const configured = port.configure(Buffer.from('not\na tar\n'), 5_000, never);
    const id = await request(/^configure (\w{8}) 10\nnot\na tar\n$/);
    guest.write(`said ${id} one thing\nnoise\nsaid ${id} and another\nready ${id}\n`);
    assert.deepEqual(await configured, ['one thing', 'and another']);
  });

  it('is closed when the guest says more than anybody listens to, and says so', async () => {
    const configured = port.configure(Buffer.alloc(1), 5_000, never);
    configured.catch(() => undefined);
    const id = await request(/^configure (\w+) 1\n/);
    guest.write(`said ${id} ${'x'.repeat(1000)}\n`.repeat(700));
    guest.write('noise\n'.repeat(200_000));
    await assert.rejects(configured, { code: 'illegal_state', message: /floods the line/ });
    await port.closed;
    assert.deepEqual([port.isOpen, port.wasFlooded], [false, true]);
    await assert.rejects(port.alive(1_000), { message: /floods the line/ });
  });

  it('keeps no more than some lines of what is said of a request', async () => {
    const configured = port.configure(Buffer.alloc(1), 5_000, never);
    const id = await request(/^configure (\w+) 1\n/);
    guest.write(`said ${id} ${'x'.repeat(1000)}\n`.repeat(500) + `ready ${id}\n`);
    const said = await configured;
    assert.deepEqual([said.length, said[0]?.length], [200, 200]);
  });

  it('asks for a sign of life, and for writing', async () => {
    for (const verb of ['alive', 'sync'] as const) {
      const asked = port[verb](5_000);
      guest.write(`ready ${await request(new RegExp(`^${verb} (\\w{8})\n$`))}\n`);
      await asked;
      await assert.rejects(port[verb](20), { code: 'timeout' });
      said = Buffer.alloc(0);
    }
  });

  it('tells why a guest refuses', async () => {
    const configured = port.configure(Buffer.alloc(1), 5_000, never);
    guest.write(`failed ${await request(/^configure (\w+) 1\n/)} home: wrong fs type\n`);
    await assert.rejects(configured, { code: 'internal', message: /set up: home: wrong fs type$/ });
    const again = port.configure(Buffer.alloc(1), 5_000, never);
    guest.write(
      `failed ${await request(/^configure (\w+) 1\n/)} tar: write error: No space left on device\n`,
    );
    await assert.rejects(again, { code: 'no_space' });
  });

  it('asks for SSH, and hears when who served it is gone', async () => {
    const served = port.serveSsh();
    const id = await request(/^ssh (\w+)\n$/);
    guest.write(`ended 01234567\nready ${id}\n`);
    const { ended } = await served;
    let hasEnded = false;
    void ended.then(() => (hasEnded = true));
    guest.write('ended\nended 01234567\nready 01234567\n');
    await assert.rejects(port.alive(50), { code: 'timeout' });
    assert.equal(hasEnded, false);
    guest.write(`ended ${id}\n`);
    await ended;
  });

  it('takes no answer that is meant for another engine, or for another request', async () => {
    guest.write('failed 01234567 the configuration did not come whole\nready 01234567\n');
    const configured = port.configure(Buffer.alloc(1), 5_000, never);
    const first = await request(/^configure (\w+) 1\n/);
    const served = port.serveSsh();
    const second = await request(/ssh (\w+)\n$/);
    let isServed = false;
    void served.then(() => (isServed = true));
    guest.write(`said 01234567 old news\nready ${first}\n`);
    assert.deepEqual(await configured, []);
    assert.equal(isServed, false);
    guest.write(`ready ${second}\n`);
    await served;
  });

  it('sets the clock to the nanosecond, and tells to power off', async () => {
    port.setTime(1_700_000_000_042.5);
    port.powerOff();
    await request(/^time \w+ 1700000000\.042500000\npoweroff (\w+)\n$/);
  });

  it('stops waiting after its time, when it is cancelled, and when the machine ends', async () => {
    guest.write('still here\n');
    await assert.rejects(port.waiting(50, never), {
      code: 'timeout',
      message: /Timed out after 0.05 s waiting for the guest to boot/,
    });
    const cancel = new AbortController();
    const cancelled = port.waiting(5_000, cancel.signal);
    cancel.abort();
    await assert.rejects(cancelled, { code: 'cancelled' });
    const cut = port.waiting(5_000, never);
    guest.destroy();
    await assert.rejects(cut, { code: 'runtime_unavailable' });
    await assert.rejects(port.serveSsh(), { code: 'runtime_unavailable' });
  });
});
