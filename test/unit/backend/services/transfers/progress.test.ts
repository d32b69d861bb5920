import assert from 'node:assert/strict';
import type { Progress } from '../../../../../src/api/operations/schemas';
import { TransferProgress } from '../../../../../src/backend/services/transfers/progress';

describe('progress of a transfer', () => {
  let now = 0;
  let reported: Progress[] = [];
  const make = (total: number): TransferProgress =>
    new TransferProgress(
      {
        signal: new AbortController().signal,
        progress: (progress) => reported.push(progress),
        warn: () => undefined,
        step: (_name, _title, run) => run(),
      },
      total,
      () => now,
    );
  beforeEach(() => {
    now = 0;
    reported = [];
  });

  it('is told ten times a second at most, with the file it is at', () => {
    const progress = make(1000);
    for (let n = 0; n < 100; n++) {
      now += 10;
      progress.add(10, `f${n}`);
    }
    assert.equal(reported.length, 10);
    assert.equal(reported.at(-1)?.done, 1000);
    assert.equal(reported.at(-1)?.current, 'f99');
  });

  it('has a rate that follows smoothly', () => {
    const progress = make(1e6);
    now = 100;
    progress.add(1000);
    assert.equal(reported[0]?.rate, 10_000);
    now = 200;
    progress.add(0);
    assert.equal(reported[1]?.rate, 7000);
  });

  it('never passes its total', () => {
    const progress = make(10);
    progress.add(25);
    progress.report();
    assert.equal(reported[0]?.total, 25);
    assert.equal(progress.bytes, 25);
  });
});
