import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { farewell, tailWithoutProbes, withoutProbes } from '../../../../src/backend/inside/probe-lines';
import { readBanner } from '../../../../src/backend/inside/ssh-banner';

const goodbye = (port: number) =>
  `Received disconnect from 172.17.0.1 port ${port}:11: ${farewell} [preauth]\n`;
const ended = (port: number) => `Disconnected from 172.17.0.1 port ${port} [preauth]\n`;
const shown = (...chunks: string[]): Promise<string> =>
  text(withoutProbes(Readable.from(chunks.map((chunk) => Buffer.from(chunk, 'utf8')))));

describe('inside/probe-lines', () => {
  it('leaves out what our own question left in the log, and nothing of others', async () => {
    const log = [
      'berth: configured 0\n',
      goodbye(40_001),
      'Received disconnect from 172.17.0.1 port 40002:11: bye [preauth]\n',
      ended(40_001),
      ended(40_002),
      'Connection closed by 172.17.0.1 port 40001\n',
      ended(40_001),
    ];
    const rest = [log[0], log[2], log[4], log[5], log[6]].join('');
    assert.equal(await shown(log.join('')), rest);
    // However it is cut, and with times.
    assert.equal(await shown(...log.join('').split(/(?<=\w{5})/)), rest);
    const timed = log.map((line) => `2026-01-02T03:04:05.678901234Z ${line}`);
    assert.equal((await shown(timed.join(''))).split('\n').length, 6);
  });

  it('shows as many lines as were asked for, however many of ours are among the last', async () => {
    const starts = Array.from({ length: 40 }, (_, at) => [goodbye(40_000 + at), ended(40_000 + at)]).flat();
    const log = ['one\n', 'two\n', ...starts, 'three\n', ...starts.slice(0, 4), 'no end'];
    const last = (lines: number) =>
      Promise.resolve(Readable.from([Buffer.from(lines === 0 ? '' : log.slice(-lines).join(''))]));
    const tailed = async (tail: number) => text(await tailWithoutProbes(tail, last, last));
    assert.equal(await tailed(1), 'no end');
    assert.equal(await tailed(2), 'three\nno end');
    assert.equal(await tailed(3), 'two\nthree\nno end');
    assert.equal(await tailed(1_000), 'one\ntwo\nthree\nno end');
    assert.equal(await tailed(0), '');
  });

  it('takes nothing for its own that has no port, of which there is no end', async () => {
    assert.equal(await shown(goodbye(1_000_000)), goodbye(1_000_000));
  });

  it('keeps every byte of others, and holds nothing back that may be one of them', async () => {
    const odd = 'naïve \u2028 ✓ no end';
    assert.equal(await shown(odd), odd);
    const log = new PassThrough();
    const filtered = withoutProbes(log);
    log.write('prompt> ');
    const [chunk] = (await once(filtered, 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'prompt> ');
    log.end('Disconnected from the net');
    assert.equal(await text(filtered), 'Disconnected from the net');
  });

  it('ends with the log, and ends the log', async () => {
    const log = new PassThrough();
    const filtered = withoutProbes(log);
    filtered.destroy();
    await once(log, 'close');
    assert.ok(log.destroyed);
  });

  it('has the question end as that of a client, with these words', async () => {
    let heard = Buffer.alloc(0);
    const server = createServer((socket) => {
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
      socket.on('data', (chunk) => (heard = Buffer.concat([heard, chunk])));
      socket.on('end', () => socket.end());
      socket.once('close', () => server.close());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.deepEqual(await readBanner(port), { banner: 'SSH-2.0-OpenSSH_9.2' });
    await once(server, 'close');
    const head = heard.indexOf('\n') + 1;
    assert.equal(heard.subarray(0, head).toString(), 'SSH-2.0-Berth\r\n');
    const packet = heard.subarray(head);
    assert.equal(packet.readUInt32BE(0), packet.length - 4);
    assert.equal(packet.length % 8, 0);
    assert.equal(packet[5], 1);
    assert.equal(packet.subarray(14, 14 + packet.readUInt32BE(10)).toString(), farewell);
  });
});
