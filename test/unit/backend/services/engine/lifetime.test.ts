import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lifetime } from '../../../../../src/backend/services/engine/lifetime';
import { until } from '../../../../support/wait';

describe('services/engine/lifetime', () => {
  let exits: number;
  let reason: string | undefined;
  let lifetime: Lifetime;

  beforeEach(() => {
    exits = 0;
    reason = undefined;
    lifetime = new Lifetime({ idleExitMs: 25, busy: () => reason, exit: () => (exits += 1) });
  });
  afterEach(() => lifetime.close());

  it('ends some time after the last sign of use', async () => {
    lifetime.touch();
    await sleep(15);
    lifetime.touch();
    await sleep(15);
    assert.equal(exits, 0);
    await until('it ends', () => exits === 1);
  });

  it('stays while a client is connected, however long', async () => {
    const release = lifetime.hold();
    lifetime.touch();
    await sleep(80);
    assert.equal(exits, 0);
    assert.equal(lifetime.reasonToStay, 'a client is connected');
    release();
    release();
    await until('it ends', () => exits > 0);
    assert.equal(exits, 1);
  });

  it('stays until the last of several clients has gone', async () => {
    const [first, second] = [lifetime.hold(), lifetime.hold()];
    first();
    await sleep(60);
    assert.equal(exits, 0);
    second();
    await until('it ends', () => exits === 1);
  });

  it('stays while it is busy, and looks again', async () => {
    reason = 'an operation is running';
    lifetime.touch();
    await sleep(80);
    assert.equal(exits, 0);
    assert.equal(lifetime.reasonToStay, reason);
    reason = undefined;
    await until('it ends', () => exits === 1);
  });

  it('does nothing once closed', async () => {
    lifetime.touch();
    lifetime.close();
    await sleep(50);
    assert.equal(exits, 0);
  });
});
