import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine-harness';

/** In minutes: one and a half and three seconds. */
const pauseAfter = 0.025;
const stopAfter = 0.05;

describe('lifecycle: idle policies', function () {
  this.timeout(60_000);
  const harness = useEngineHarness();

  it('pauses, then stops, then archives what nobody uses', async () => {
    const started = Date.now();
    const { name } = await harness().create({ idle: { pauseAfter, stopAfter, archiveAfter: 0.07 } });
    await harness().untilState(name, 'paused');
    const pausedMs = Date.now() - started;
    await harness().untilState(name, 'stopped');
    const stoppedMs = Date.now() - started;
    await harness().untilState(name, 'archived');
    assert(pausedMs > 1_500 && stoppedMs > 3_000 && stoppedMs > pausedMs);
    await harness().verb('restore', name);
    assert.equal(await harness().ssh(name, ['echo', 'back']), 'back');
    await harness().delete(name);
  });

  it('never touches one that somebody is logged in to by SSH, however long', async () => {
    const { name } = await harness().create({ idle: { pauseAfter } });
    const session = spawn('ssh', [...harness().sshOptions(), `berth-${name}`, 'cat'], { stdio: 'pipe' });
    await sleep(pauseAfter * 60_000 * 2);
    const { state, attached } = await harness().workspace(name);
    assert.deepEqual({ state, attached }, { state: 'running', attached: 1 });
    session.stdin.end();
    await once(session, 'exit');
    await harness().untilState(name, 'paused');
    await harness().delete(name);
  });

  it('counts commands that run through the API', async () => {
    const { name } = await harness().create({ idle: { pauseAfter } });
    await harness().exec(name, ['sleep', String(pauseAfter * 60 * 2)]);
    assert.equal(await harness().state(name), 'running');
    await harness().delete(name);
  });

  it('resumes a paused one for who asks, and begins to count anew', async () => {
    const { name } = await harness().create({ idle: { pauseAfter } });
    await harness().untilState(name, 'paused');
    await harness().verb('resume', name);
    assert.equal(await harness().ssh(name, ['echo', 'awake']), 'awake');
    await harness().untilState(name, 'paused');
    await harness().client.call('workspaces.update', { params: { name }, body: { idle: { pauseAfter: 0 } } });
    await harness().verb('resume', name);
    await sleep(pauseAfter * 60_000 * 1.5);
    assert.equal(await harness().state(name), 'running', 'a policy that was taken away');
    await harness().delete(name);
  });

  it('goes on with its policies after it was killed', async () => {
    const { name } = await harness().create({ idle: { pauseAfter } });
    await harness().killAndRestart();
    await eventually('it is paused', async () => (await harness().state(name)) === 'paused');
    await harness().delete(name);
  });

  itLeavesNothing(harness);
});
