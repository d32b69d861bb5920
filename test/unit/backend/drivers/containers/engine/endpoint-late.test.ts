import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { limited } from '../../../../../../src/backend/drivers/containers/engine/endpoint';

describe('drivers/containers/engine/endpoint', () => {
  it('tidies away what comes after a call was cancelled or took too long, and nothing else', async () => {
    const comes = async (stream: PassThrough): Promise<PassThrough> => {
      await sleep(20);
      return stream;
    };
    const [inTime, cancelled, slow] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const late: PassThrough[] = [];
    const tidy = { late: (stream: PassThrough) => void late.push(stream) };
    assert.equal(await limited(comes(inTime), 'read x', tidy), inTime);
    const signal = AbortSignal.abort();
    await assert.rejects(limited(comes(cancelled), 'read x', { ...tidy, signal }), { code: 'cancelled' });
    await assert.rejects(limited(comes(slow), 'read x', { ...tidy, timeoutMs: 1 }), {
      code: 'runtime_unavailable',
    });
    await sleep(50);
    assert.deepEqual(
      [inTime, cancelled, slow].map(({ destroyed }) => destroyed),
      [false, true, true],
    );
    assert.deepEqual(late, [cancelled, slow]);
  });

  it('is not ended by a call that fails after it was given up', async () => {
    const fails = sleep(10).then(() => Promise.reject(new Error('late')));
    await assert.rejects(limited(fails, 'read x', { timeoutMs: 1 }), { code: 'runtime_unavailable' });
    await sleep(30);
  });
});
