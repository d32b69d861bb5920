import assert from 'node:assert/strict';
import {
  submodulesTimeoutMs,
  tryEach,
} from '../../../../../../src/backend/services/workspaces/start/submodules';

describe('services/workspaces/start/submodules', () => {
  const paths = Array.from({ length: 200 }, (_, index) => `path${index}`);

  it('names those that have not come, and none when all have', async () => {
    assert.equal(await tryEach(['a', 'b'], () => Promise.resolve(undefined)), undefined);
    const failing = (path: string) => Promise.resolve(path === 'b' ? 'no' : undefined);
    assert.equal(await tryEach(['a', 'b', 'c'], failing), 'b (no)');
  });

  it('gives all of them together no more time than one', async () => {
    let clock = 0;
    const asked: number[] = [];
    const reported = await tryEach(
      paths,
      (_path, timeoutMs) => {
        asked.push(timeoutMs);
        clock += submodulesTimeoutMs / 3;
        return Promise.resolve('no answer');
      },
      () => clock,
    );
    assert.deepEqual(
      asked,
      [3, 2, 1].map((thirds) => (thirds * submodulesTimeoutMs) / 3),
    );
    assert.equal(
      reported,
      'path0 (no answer); path1 (no answer); path2 (no answer); 197 more, as 30 min were over',
    );
  });

  it('names a few of many, in few words', async () => {
    const reported = await tryEach([...paths, 'x'.repeat(10_000)], () => Promise.resolve('y'.repeat(2000)));
    assert.match(reported ?? '', /and 191 others$/);
    assert((reported ?? '').length < 5000);
  });
});
