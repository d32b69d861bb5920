import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalThreads, type LocalThread } from '../../../../../src/backend/files/local/thread';

const nothing = { read: [], sizes: new Float64Array() };
const ask = (thread: LocalThread): Promise<LocalThread> => thread.run(nothing).then(() => thread);

describe('The thread for files of this machine', () => {
  it('waits for more work, is never used for two transfers at once, and ends when none comes', async () => {
    const threads = new LocalThreads(20);
    const first = await threads.use(ask);
    const [second, third] = await Promise.all([threads.use(ask), threads.use(ask)]);
    assert.equal(second, first);
    assert.notEqual(third, first);
    while (first.isIdle || third.isIdle) {
      await delay(5);
    }
  });

  it('is not used again after it broke, nor while it has not answered', async () => {
    const threads = new LocalThreads();
    const broken = await threads.use((thread) => {
      void thread.start().terminate();
      return thread.run(nothing).then(
        () => assert.fail('it has ended'),
        () => thread,
      );
    });
    let busy: LocalThread | undefined;
    let answer: Promise<unknown> | undefined;
    await threads.use((thread) => {
      answer = thread.run(nothing).catch(() => undefined);
      return Promise.resolve((busy = thread));
    });
    await answer;
    await threads.use((thread) => {
      assert.ok(thread !== broken && thread !== busy);
      return ask(thread);
    });
  });
});
