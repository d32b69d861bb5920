import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { ControlPort } from '../../../../../../src/backend/drivers/microvms/control-port';
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

  it('hands the archive over by its length, and waits until it is taken', async () => {
    const archive = Buffer.from('not\na tar\n');
    const configured = port.configure(archive, 5_000, never);
    await until('it is sent', () => said.length >= 13 + archive.length);
    assert.equal(said.toString(), `configure 10\n${archive.toString()}`);
    guest.write('ready 3.42\n');
    await configured;
  });

  it('tells why a guest refuses', async () => {
    const configured = port.configure(Buffer.alloc(1), 5_000, never);
    guest.write('failed home: wrong fs type\n');
    await assert.rejects(configured, { code: 'internal', message: /home: wrong fs type/ });
    const again = port.configure(Buffer.alloc(1), 5_000, never);
    guest.write('failed tar: write error: No space left on device\n');
    await assert.rejects(again, { code: 'no_space' });
  });

  it('asks for SSH', async () => {
    const served = port.serveSsh();
    await until('it is sent', () => said.toString() === 'ssh\n');
    guest.write('ok\n');
    await served;
  });

  it('sets the clock to the nanosecond, and tells to power off', async () => {
    port.setTime(1_700_000_000_042.5);
    port.powerOff();
    await until('both are sent', () => said.toString().endsWith('poweroff\n'));
    assert.equal(said.toString(), 'time 1700000000.042500000\npoweroff\n');
  });

  it('stops waiting after its time, when it is cancelled, and when the machine ends', async () => {
    guest.write('still here\n');
    await assert.rejects(port.waiting(50, never), {
      code: 'timeout',
      message: /Waited 0.05 s for the guest to boot, in vain/,
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
