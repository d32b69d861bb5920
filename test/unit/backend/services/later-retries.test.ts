import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { LaterRetries } from '../../../../src/backend/services/later-retries';
import { until } from '../../../support/wait';

describe('services/later-retries', () => {
  it('tries again after pauses that double up to the max, and begins anew when it has worked', async () => {
    const retries = new LaterRetries(10, 40);
    const times: number[] = [];
    const fail = (): Promise<void> => {
      times.push(performance.now());
      if (times.length < 5) {
        retries.again('a', fail);
      }
      return Promise.resolve();
    };
    await fail();
    await until('it has failed five times', () => times.length === 5);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    [9, 19, 39, 39].forEach((least, index) => assert((pauses[index] ?? 0) >= least, String(pauses)));
    retries.done('a');
    const since = performance.now();
    await new Promise<void>((resolve) => {
      retries.again('a', () => Promise.resolve().then(resolve));
    });
    assert(performance.now() - since < 38);
    retries.close();
  });

  it('tries nothing that worked meanwhile, and nothing after its end', async () => {
    const retries = new LaterRetries(5, 5);
    let runs = 0;
    const run = (): Promise<void> => {
      runs += 1;
      return Promise.resolve();
    };
    retries.again('a', run);
    retries.done('a');
    retries.again('b', run);
    retries.again('b', run);
    await sleep(40);
    assert.equal(runs, 1);
    retries.again('c', run);
    retries.close();
    retries.again('d', run);
    await sleep(20);
    assert.equal(runs, 1);
  });
});
