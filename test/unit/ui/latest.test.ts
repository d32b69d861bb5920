import assert from 'node:assert/strict';
import { Looks, orCancelled } from '../../../src/ui/latest';

describe('ui/latest', () => {
  describe('looks into folders', () => {
    let answers: Map<string, { resolve: (text: string) => void; reject: (error: Error) => void }>;
    let reported: string[];
    let looks: Looks<string>;
    beforeEach(() => {
      answers = new Map();
      reported = [];
      looks = new Looks<string>({
        load: (folder) => new Promise((resolve, reject) => answers.set(folder, { resolve, reject })),
        show: (folder, loaded) => reported.push(`${folder}: ${loaded}`),
        failed: (folder, error) => reported.push(`${folder}: ${String(error)}`),
        busy: (isBusy) => reported.push(isBusy ? 'busy' : 'idle'),
      });
    });

    it('shows each with its own folder, and drops the answer that comes late', async () => {
      const big = looks.enter('/big');
      assert.equal(looks.folder, '/');
      const small = looks.enter('/small');
      answers.get('/small')!.resolve('s');
      await small;
      answers.get('/big')!.resolve('b');
      await big;
      assert.deepEqual(reported, ['busy', 'busy', '/small: s', 'idle']);
      assert.equal(looks.folder, '/small');
    });

    it('stays where it was when one fails, and goes on; a late failure is dropped', async () => {
      const first = looks.enter('/a');
      answers.get('/a')!.reject(new Error('no'));
      await first;
      assert.deepEqual([reported.at(-2), looks.folder], ['/a: Error: no', '/']);
      const late = looks.enter('/late');
      const next = looks.enter('/b');
      answers.get('/b')!.resolve('b');
      await next;
      answers.get('/late')!.reject(new Error('late'));
      await late;
      assert.deepEqual(reported.slice(-2), ['/b: b', 'idle']);
    });
  });

  it('ends the wait of who cancels, at once, and passes on what comes before', async () => {
    const abort = new AbortController();
    assert.equal(await orCancelled(Promise.resolve(1), abort.signal), 1);
    await assert.rejects(orCancelled(Promise.reject(new Error('no')), abort.signal), /no/);
    const hanging = orCancelled(new Promise(() => undefined), abort.signal);
    abort.abort();
    await assert.rejects(hanging, { code: 'cancelled' });
    await assert.rejects(orCancelled(new Promise(() => undefined), abort.signal), { code: 'cancelled' });
  });
});
