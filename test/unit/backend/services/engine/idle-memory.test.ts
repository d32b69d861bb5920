import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdleMemory } from '../../../../../src/backend/services/engine/idle-memory';
import { until } from '../../../../support/wait';

describe('services/engine/idle-memory', () => {
  let collected = 0;
  let memory: IdleMemory;
  beforeEach(() => {
    collected = 0;
    memory = new IdleMemory(() => (collected += 1), 25);
  });
  afterEach(() => memory.close());

  it('collects twice after the last sign of use, and again after the next', async () => {
    memory.touch();
    await sleep(15);
    memory.touch();
    await sleep(15);
    assert.equal(collected, 0);
    await until('it has collected', () => collected === 2);
    await sleep(60);
    assert.equal(collected, 2);
    memory.touch();
    await until('it has collected again', () => collected === 4);
  });

  it('does nothing unused, and nothing once it is closed', async () => {
    await sleep(40);
    memory.touch();
    memory.close();
    await sleep(40);
    assert.equal(collected, 0);
  });

  it('has V8 give back what nobody holds any more', async () => {
    const own = new IdleMemory(undefined, 0);
    const held = new WeakRef(Array.from({ length: 100_000 }, (_, at) => ({ at })));
    await sleep(0);
    own.touch();
    await until('it is gone', () => held.deref() === undefined);
  });
});
