import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { mayPass } from '../../../../../../src/backend/drivers/microvms/network/frames';
import { Relay, relay } from '../../../../../../src/backend/drivers/microvms/network/relay';
import { Random } from '../../../../../support/random';
import { frame, packed, tcp, tcpFlags, udp } from './build-frames';

const maxFrameBytes = 4096 + 65_536;
const good = (port: number, bytes = 0): Buffer =>
  frame({ destination: '8.8.8.8', payload: Buffer.concat([tcp(port), Buffer.alloc(bytes)]) });
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

function anyFrame(random: Random): Buffer {
  switch (random.next(8)) {
    case 0:
      return bad;
    case 1:
      return Buffer.alloc(0);
    case 2:
      return Buffer.alloc(random.next(80), random.next(256));
    case 3:
      return large;
    case 4:
      return Buffer.alloc(maxFrameBytes + random.next(3), good(1));
    case 5: {
      // A good one, one byte of which is another.
      const changed = Buffer.from(good(1));
      changed.writeUInt8(random.next(256), random.next(changed.length));
      return changed;
    }
    default:
      return good(random.next(65_536), random.next(1500));
  }
}

function unpacked(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    frames.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  assert.equal(at, bytes.length, 'the last frame is whole');
  return frames;
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

  it('passes exactly what may pass, for streams and cuts of any kind', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = new Random(seed);
      const frames = Array.from({ length: 1 + random.next(40) }, () => anyFrame(random));
      const all = packed(...frames);
      const wanted = packed(...frames.filter((each) => each.length <= maxFrameBytes && mayPass(each)));
      const pieces: number[] = [];
      for (let left = all.length; left > 0; left -= pieces.at(-1) ?? 0) {
        pieces.push(1 + random.next(random.pick([4, 60, 1500, 65_536, 300_000])));
      }
      assert(passed(all, pieces).equals(wanted), `seed ${seed}`);
    }
  });

  it('loses whole frames only, whatever the order in which both sides fall behind', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = new Random(seed);
      const from = new PassThrough();
      const taken: Buffer[] = [];
      const to = new Writable({
        highWaterMark: 1 + random.next(100_000),
        write: (chunk: Buffer, _encoding, done) => {
          taken.push(chunk);
          if (random.next(3) === 0) {
            done();
          } else {
            setImmediate(done);
          }
        },
      });
      relay(from, to);
      // Numbered, so that what arrives is known.
      const sent = Array.from({ length: 400 }, (_, number) =>
        good(number, random.next(4) === 0 ? 60_000 : 60),
      );
      for (let at = 0; at < sent.length;) {
        const next = at + 1 + random.next(30);
        from.write(packed(...sent.slice(at, next)));
        at = next;
        if (random.next(4) === 0) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      from.end();
      await new Promise<void>((resolve) => from.once('end', resolve));
      await new Promise<void>((resolve) => to.end(resolve));
      const arrived = unpacked(Buffer.concat(taken));
      let next = 0;
      for (const each of arrived) {
        next = sent.findIndex((one, index) => index >= next && one.equals(each)) + 1;
        assert(next > 0, `seed ${seed}`);
      }
      assert(arrived.length > 0);
    }
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
