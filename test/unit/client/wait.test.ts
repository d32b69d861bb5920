import assert from 'node:assert/strict';
import { pollFor } from '../../../src/client/wait';

describe('clients that wait for something that can only be asked for', () => {
  it('answer what is said at last, also when that is said at once', async () => {
    let asked = 0;
    const answer = (): Promise<string | undefined> => Promise.resolve(++asked < 3 ? undefined : 'rings');
    assert.equal(await pollFor(answer, { timeoutMs: 5_000, intervalMs: 1 }), 'rings');
    assert.equal(await pollFor(() => Promise.resolve(0), { timeoutMs: 0, intervalMs: 60_000 }), 0);
    assert.equal(asked, 3);
  });

  it('ask a last time when time is up', async () => {
    let asked = 0;
    const ask = (): Promise<string | undefined> => {
      asked++;
      return Promise.resolve(undefined);
    };
    assert.equal(await pollFor(ask, { timeoutMs: 20, intervalMs: 60 }), undefined);
    assert.equal(asked, 2);
  });

  it('end with what asking throws', async () => {
    const ask = (): Promise<string | undefined> => Promise.reject(new Error('no bell'));
    await assert.rejects(pollFor(ask, { timeoutMs: 5_000, intervalMs: 1 }), /no bell/);
  });
});
