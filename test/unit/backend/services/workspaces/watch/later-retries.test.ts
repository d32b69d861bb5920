import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { LaterRetries } from '../../../../../../src/backend/services/workspaces/watch/later-retries';

describe('services/workspaces/watch/later-retries', () => {
  let retries: LaterRetries;
  let runs: number;
  const run = (): Promise<void> => {
    runs += 1;
    return Promise.resolve();
  };
  /** Whether it runs after that many milliseconds, and not one before. */
  const runsAfter = (ms: number): void => {
    const before = runs;
    mock.timers.tick(ms - 1);
    assert.equal(runs, before, `before ${ms} ms`);
    mock.timers.tick(1);
    assert.equal(runs, before + 1, `after ${ms} ms`);
  };

  // Only time itself is not real: on a busy machine no real pause is as short as it is to be.
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    retries = new LaterRetries(10, 40);
    runs = 0;
  });
  afterEach(() => {
    retries.close();
    mock.timers.reset();
  });

  it('tries again after pauses that double up to the max, and begins anew when it has worked', () => {
    for (const pause of [10, 20, 40, 40]) {
      retries.again('a', run);
      runsAfter(pause);
    }
    retries.done('a');
    retries.again('a', run);
    runsAfter(10);
  });

  it('tries nothing that worked meanwhile, and nothing after its end', () => {
    retries.again('a', run);
    retries.done('a');
    retries.again('b', run);
    retries.again('b', run);
    mock.timers.tick(1_000);
    assert.equal(runs, 1);
    retries.again('c', run);
    retries.close();
    retries.again('d', run);
    mock.timers.tick(1_000);
    assert.equal(runs, 1);
  });

  it('keeps each for itself', () => {
    retries.again('a', run);
    runsAfter(10);
    retries.again('b', run);
    runsAfter(10);
    retries.again('a', run);
    runsAfter(20);
  });
});
