import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedLock } from '../../../../src/backend/machine/keyed-lock';

describe('machine/keyed-lock', () => {
  it('runs tasks of one key in order, those of others beside them', async () => {
    const lock = new KeyedLock();
    const seen: string[] = [];
    const task = (key: string, name: string, ms: number) =>
      lock.run(key, async () => {
        seen.push(`${name} begins`);
        await sleep(ms);
        seen.push(`${name} ends`);
        return name;
      });
    const answers = await Promise.all([task('a', 'slow', 40), task('a', 'next', 0), task('b', 'other', 5)]);
    assert.deepEqual(answers, ['slow', 'next', 'other']);
    assert.deepEqual(seen, [
      'slow begins',
      'other begins',
      'other ends',
      'slow ends',
      'next begins',
      'next ends',
    ]);
  });

  it('leaves a task out whose key is busy, when it is asked to', async () => {
    const lock = new KeyedLock();
    const seen: string[] = [];
    const note = (what: string) => () => Promise.resolve(void seen.push(what));
    await lock.runIfFree('a', note('free'));
    const slow = lock.run('a', () => sleep(20));
    await lock.runIfFree('a', note('busy'));
    await slow;
    await sleep(0);
    await lock.runIfFree('a', note('free again'));
    assert.deepEqual(seen, ['free', 'free again']);
  });

  it('goes on after a task that failed, and tells its own caller alone', async () => {
    const lock = new KeyedLock();
    const bad = lock.run('a', () => Promise.reject(new Error('bad')));
    const good = lock.run('a', () => Promise.resolve('good'));
    await assert.rejects(bad, /bad/);
    assert.equal(await good, 'good');
  });

  it('keeps nothing of keys that are done', async () => {
    const lock = new KeyedLock();
    await Promise.all(['a', 'b', 'a'].map((key) => lock.run(key, () => Promise.resolve())));
    await sleep(0);
    assert.equal((lock as unknown as { tails: Map<string, unknown> }).tails.size, 0);
  });
});
