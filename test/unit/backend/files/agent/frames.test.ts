import assert from 'node:assert/strict';
import { encodeFrame, FrameReader, type Frame } from '../../../../../src/backend/files/agent/frames';

describe('frames of an agent', () => {
  let got: Frame[];
  const reader = (): FrameReader => {
    got = [];
    return new FrameReader(
      (frame) => got.push(frame),
      () => 1024,
    );
  };
  const payload = Buffer.from('payload');
  const frames = [encodeFrame({ id: 1 }, payload), encodeFrame({ id: 2 }), encodeFrame({ id: 3 }, payload)];

  it('are the same however their bytes arrive', () => {
    const bytes = Buffer.concat(frames.flat());
    for (let size = 1; size <= bytes.length; size++) {
      const reading = reader();
      for (let at = 0; at < bytes.length; at += size) {
        reading.push(bytes.subarray(at, at + size));
      }
      assert.deepEqual(
        got.map(({ head, payload: own }) => [head.id, own.toString()]),
        [
          [1, 'payload'],
          [2, ''],
          [3, 'payload'],
        ],
      );
    }
  });

  it('hand over a payload that came by itself without a copy', () => {
    const reading = reader();
    frames.flat().forEach((part) => reading.push(part));
    assert.deepEqual(
      got.map(({ payload: own }) => own.buffer === payload.buffer && own.byteOffset === payload.byteOffset),
      [true, false, true],
    );
  });

  it('refuse what is too long at its lengths', () => {
    const [start] = encodeFrame({ id: 1 }, Buffer.alloc(2000));
    assert.throws(() => reader().push(start ?? Buffer.alloc(0)), /at most 1024/);
  });
});
