import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { column, itMostlyOfEngine, itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';

/** In minutes. Longer than it takes to look once, which in an emulated guest or on a busy machine is a while. */
const pauseAfter = 0.05;
/** A guest is paused when its memory is on the disk: that has to be seen before it is stopped. */
const stopAfter = (column === 'microvm' ? 4 : 2) * pauseAfter;
const pauseMs = pauseAfter * 60_000;

describe('lifecycle: idle policies', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();

  it('pauses, then stops, then archives what nobody uses', async () => {
    const started = Date.now();
    const { name } = await harness().create({
      idle: { pauseAfter, stopAfter, archiveAfter: 1.4 * stopAfter },
    });
    await harness().untilState(name, 'paused');
    const pausedMs = Date.now() - started;
    await harness().untilState(name, 'stopped');
    const stoppedMs = Date.now() - started;
    await harness().untilState(name, 'archived');
    assert(pausedMs > pauseMs && stoppedMs > 2 * pauseMs && stoppedMs > pausedMs);
    await harness().verb('restore', name);
    assert.equal(await harness().ssh(name, ['echo', 'back']), 'back');
    await harness().delete(name);
  });

  itMostlyOfEngine('never touches one that somebody is logged in to by SSH, however long', async () => {
    const { name } = await harness().create();
    const argv = [...harness().sshOptions(), `berth-${name}`, 'echo in; cat'];
    const session = spawn('ssh', argv, { stdio: 'pipe' });
    await once(session.stdout, 'data');
    await harness().client.call('workspaces.update', { params: { name }, body: { idle: { pauseAfter } } });
    await sleep(pauseMs * 2);
    const { state, attached } = await harness().workspace(name);
    assert.deepEqual({ state, attached }, { state: 'running', attached: 1 });
    session.stdin.end();
    await once(session, 'exit');
    await harness().untilState(name, 'paused');
    await harness().delete(name);
  });

  itOfContainers('the engine alone', 'counts commands that run through the API', async () => {
    const { name } = await harness().create();
    const running = harness().exec(name, ['sleep', String(pauseAfter * 60 * 2 + 2)]);
    await harness().client.call('workspaces.update', { params: { name }, body: { idle: { pauseAfter } } });
    await running;
    assert.equal(await harness().state(name), 'running');
    await harness().delete(name);
  });

  itMostlyOfEngine('resumes a paused one for who asks, and begins to count anew', async () => {
    const { name } = await harness().create({ idle: { pauseAfter } });
    await harness().untilState(name, 'paused');
    await harness().verb('resume', name);
    assert.equal(await harness().ssh(name, ['echo', 'awake']), 'awake');
    await harness().untilState(name, 'paused');
    await harness().client.call('workspaces.update', { params: { name }, body: { idle: { pauseAfter: 0 } } });
    await harness().verb('resume', name);
    await sleep(pauseMs * 1.5);
    assert.equal(await harness().state(name), 'running', 'a policy that was taken away');
    await harness().delete(name);
  });

  itOfContainers('the engine alone', 'goes on with its policies after it was killed', async () => {
    const { name } = await harness().create({ idle: { pauseAfter } });
    await harness().killAndRestart();
    await eventually('it is paused', async () => (await harness().state(name)) === 'paused');
    await harness().delete(name);
  });

  itLeavesNothing(harness);
});
