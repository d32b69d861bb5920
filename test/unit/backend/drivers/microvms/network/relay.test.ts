import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { Relay, relay } from '../../../../../../src/backend/drivers/microvms/network/relay';
import { frame, packed, tcp, tcpFlags, udp } from './build-frames';

const good = (port: number): Buffer => frame({ destination: '8.8.8.8', payload: tcp(port) });
const bad = frame({ destination: '10.0.2.2', payload: tcp(22, tcpFlags.syn) });
const large = frame({
  destination: '8.8.8.8',
  protocol: 17,
  payload: Buffer.concat([udp(9), Buffer.alloc(60_000)]),
});

function passed(bytes: Buffer, pieces: readonly number[]): Buffer {
  const sent: Buffer[] = [];
  const frames = new Relay((chunk) => void sent.push(Buffer.from(chunk)));
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    frames.take(bytes.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(sent);
}

describe('the stream of frames through the filter', () => {
  it('passes what may pass on as it came, wherever the stream is cut', () => {
    const all = packed(good(1), bad, good(2), good(3), bad, bad, large, good(4));
    const wanted = packed(good(1), good(2), good(3), large, good(4));
    assert(passed(all, []).equals(wanted));
    for (const size of [1000, 1001, 4096, 65_536]) {
      const pieces = Array.from({ length: all.length / size }, () => size);
      assert(passed(all, pieces).equals(wanted), String(size));
    }
  });

  it('needs not even whole lengths', () => {
    const all = packed(good(1), bad, good(2), bad, good(3));
    for (const size of [1, 2, 3, 5, 57, 58, 59]) {
      const pieces = Array.from({ length: all.length / size }, () => size);
      assert(passed(all, pieces).equals(packed(good(1), good(2), good(3))), String(size));
    }
  });

  it('skips frames that are too long for anybody, without keeping them', () => {
    const long = Buffer.alloc(70_000, good(1));
    const longest = Buffer.alloc(3_000_000);
    const all = packed(good(1), long, good(2), longest, long, good(3));
    const wanted = packed(good(1), good(2), good(3));
    assert(passed(all, []).equals(wanted));
    assert(
      passed(
        all,
        Array.from({ length: all.length / 65_536 }, () => 65_536),
      ).equals(wanted),
    );
    const announced = Buffer.from('ffffffff', 'hex');
    assert(passed(Buffer.concat([packed(good(1)), announced, all]), []).equals(packed(good(1))));
  });

  it('skips empty frames', () => {
    assert(passed(packed(Buffer.alloc(0), good(1), Buffer.alloc(0)), []).equals(packed(good(1))));
  });

  it('loses frames, whole ones, when its reader is behind: it keeps a bounded number, and never stops to read', async () => {
    const from = new PassThrough();
    const taken: Buffer[] = [];
    let go = (): void => undefined;
    const isGoing = new Promise<void>((resolve) => (go = resolve));
    const to = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        taken.push(chunk);
        void isGoing.then(() => done());
      },
    });
    relay(from, to);
    const burst = packed(...Array.from({ length: 16 }, () => large));
    for (let round = 0; round < 40; round++) {
      from.write(burst);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(from.readableLength, 0);
    assert(to.writableLength < 6 * 1024 * 1024, String(to.writableLength));
    go();
    from.end();
    await new Promise<void>((resolve) => to.end(resolve));
    const arrived = Buffer.concat(taken);
    const one = packed(large);
    assert.equal(arrived.length % one.length, 0);
    for (let at = 0; at < arrived.length; at += one.length) {
      assert(arrived.subarray(at, at + one.length).equals(one));
    }
  });
});
