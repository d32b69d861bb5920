import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { endWithin } from '../../../../src/backend/inside/exec-end';

describe('inside/exec-end', () => {
  const never = new Promise<number>(() => undefined);

  it('cuts the connection of what does not end in time, also when ending it failed', async () => {
    let cuts = 0;
    await endWithin(
      never,
      () => Promise.resolve(),
      () => void (cuts += 1),
      10,
    );
    await assert.rejects(
      endWithin(
        never,
        () => Promise.reject(new Error('no')),
        () => void (cuts += 1),
        10,
      ),
      /no/,
    );
    assert.equal(cuts, 0);
    await sleep(60);
    assert.equal(cuts, 2);
  });

  it('leaves alone what has ended', async () => {
    let cuts = 0;
    const exit = Promise.resolve(0);
    await endWithin(
      exit,
      () => Promise.resolve(),
      () => void (cuts += 1),
      10,
    );
    await endWithin(
      Promise.reject(new Error('ended')),
      () => Promise.resolve(),
      () => void (cuts += 1),
      10,
    );
    await sleep(40);
    assert.equal(cuts, 0);
  });
});
