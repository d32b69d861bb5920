import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { throttle } from '../../../../../src/backend/services/operations/throttle';

describe('services/operations/throttle', () => {
  it('runs the first at once, many as one, and the last one always', async () => {
    let runs = 0;
    const { request, stop } = throttle(30, () => (runs += 1));
    for (let count = 0; count < 100; count += 1) {
      request();
    }
    assert.equal(runs, 1);
    await sleep(60);
    assert.equal(runs, 2);
    await sleep(40);
    request();
    assert.equal(runs, 3);
    stop();
  });

  it('runs nothing after it was stopped', async () => {
    let runs = 0;
    const { request, stop } = throttle(10, () => (runs += 1));
    request();
    request();
    stop();
    await sleep(30);
    assert.equal(runs, 1);
  });
});
