/** An agent that answers more than was asked for. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { AgentChannel } from '../../../../../src/backend/files/agent/channel';
import { encodeFrame } from '../../../../../src/backend/files/agent/frames';
import { failure } from '../../../../support/errors';

describe('files/agent/channel', () => {
  let output: PassThrough;
  let channel: AgentChannel;
  const connect = async (): Promise<void> => {
    output = new PassThrough();
    channel = new AgentChannel(new PassThrough(), output);
    const started = channel.start(Buffer.from('source'));
    send({ hello: 1 });
    await started;
  };
  beforeEach(connect);
  const send = (head: object, payload?: Buffer): void =>
    encodeFrame({ ...head }, payload).forEach((part) => void output.write(part));
  const lengths = (head: number, payload: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(head, 0);
    bytes.writeUInt32BE(payload, 4);
    return bytes;
  };

  it('takes what was asked for, and ends with a reason at the length of more, before any of it', async () => {
    const piece = channel.request('pread', { handle: 1, offset: 0, length: 100_000 });
    send({ id: 1, ok: {} }, Buffer.alloc(100_000, 1));
    assert.equal((await piece).payload.length, 100_000);
    const next = channel.request('pread', { handle: 1, offset: 0, length: 100_000 });
    output.write(lengths(20, 300_000));
    await failure(next);
    assert.match(await channel.closed, /a frame of 300028 bytes, where at most 165536 were asked for/);
    assert.equal(channel.isOpen, false);
  });

  it('ends also when nothing was asked for, or an answer came already', async () => {
    const stat = channel.request('stat', { path: '/' });
    send({ id: 1, ok: {} });
    await stat;
    output.write(lengths(100_000, 0));
    assert.match(await channel.closed, /100008 bytes/);
  });

  it('takes a large folder of names of any kind, and ends before it parses what would fill the memory', async () => {
    const name = '[{"\\",'.repeat(15);
    const rows = Array.from({ length: 50_000 }, () => [name, 0, 1, 420, 0, 0, 1, 1]);
    const large = channel.request('list', { path: '/' });
    send({ id: 1, ok: { entries: rows } });
    assert.deepEqual((await large).ok.entries, rows);
    for (const value of ['[]', '1']) {
      const { closed } = channel;
      const next = channel.request('list', { path: '/' });
      const json = Buffer.from(`{"id":2,"ok":{"entries":[0${`,${value}`.repeat(11_000_000)}]}}`);
      output.write(lengths(json.length, 0));
      output.write(json);
      await failure(next);
      assert.match(await closed, /no answer has that many/);
      await connect();
      await failure(channel.request('list', { path: '/' }, { timeoutMs: 1 }), 'timeout');
    }
  });

  it('still takes a late answer to what was given up', async () => {
    const late = channel.request('list', { path: '/' }, { timeoutMs: 10 });
    await failure(late, 'timeout');
    send({ id: 1, ok: { entries: ['x'.repeat(1_000_000)] } });
    const next = channel.request('stat', { path: '/' });
    send({ id: 2, ok: { fine: true } });
    assert.deepEqual((await next).ok, { fine: true });
  });
});
