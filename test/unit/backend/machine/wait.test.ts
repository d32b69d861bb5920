import assert from 'node:assert/strict';
import { askFor, becomes, waitFor } from '../../../../src/backend/machine/wait';

const what = 'the bell';

describe('waiting for something that can only be asked for', () => {
  it('answers what is said at last, also when that is said at once', async () => {
    let asked = 0;
    const options = { what, timeoutMs: 5_000, intervalMs: 1 };
    assert.equal(await waitFor(() => (++asked < 3 ? undefined : 'rings'), options), 'rings');
    assert.equal(await waitFor(() => Promise.resolve(0), { ...options, timeoutMs: 0 }), 0);
    assert.equal(asked, 3);
  });

  it('asks a last time when time is up, then says what it waited for and what it saw', async () => {
    let asked = 0;
    const options = { what, timeoutMs: 20, intervalMs: 60, lastSeen: () => 'silence', hint: 'Ring it.' };
    const ask = (): Promise<undefined> => {
      asked++;
      return Promise.resolve(undefined);
    };
    const waited = waitFor(ask, options);
    await assert.rejects(waited, {
      code: 'timeout',
      message: 'Timed out after 0.02 s waiting for the bell. Last seen: silence',
      hint: 'Ring it.',
    });
    assert.equal(asked, 2);
    assert.equal(await askFor<string>(() => undefined, options), undefined);
    assert.equal(await becomes(() => false, options), false);
    assert.equal(await becomes(() => Promise.resolve(true), options), true);
  });

  it('ends at once when it is cancelled, in a pause as well', async () => {
    const cancel = new AbortController();
    const options = { what, timeoutMs: Infinity, intervalMs: 60_000, signal: cancel.signal };
    const waited = waitFor(() => Promise.resolve(undefined), options);
    setTimeout(() => {
      cancel.abort();
    }, 20);
    await assert.rejects(waited, { code: 'cancelled', message: 'Cancelled: the bell.' });
  });
});
