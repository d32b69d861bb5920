import assert from 'node:assert/strict';
import { forChildren, forEngine } from '../../../../src/api/engine/environment';

describe('the environment of an engine', () => {
  const seenByChildren = (env: Record<string, string>): object => {
    const own = forEngine(env);
    forChildren(own);
    return own;
  };

  it('has few arenas for itself, and its children what the user has', () => {
    assert.equal(forEngine({ A: 'b' }).MALLOC_ARENA_MAX, '2');
    assert.deepEqual(seenByChildren({ A: 'b' }), { A: 'b' });
  });

  it('is what the user has set, also for its children', () => {
    for (const value of ['1', '2', '']) {
      const env = { MALLOC_ARENA_MAX: value };
      assert.deepEqual([forEngine(env), seenByChildren(env)], [env, env]);
    }
  });
});
