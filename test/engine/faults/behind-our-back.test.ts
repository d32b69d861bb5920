/** What others do to our runtimes and volumes by hand, e.g. with Docker's own command, or with `kill`. */
import assert from 'node:assert/strict';
import { failure } from '../../support/errors';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';

describe('faults: done by hand', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;

  before(async () => {
    ({ name } = await harness().create({ secrets: { TOKEN: 'abc' } }));
    await harness().sh(name, 'echo kept >~/kept; sync ~/kept');
  });

  const assertWorks = async () =>
    assert.equal(await harness().ssh(name, ['cat ~/kept; echo $TOKEN']), 'kept\nabc');

  it('a runtime that was removed: stopped, not lost; a start builds it anew with all files', async () => {
    await harness().runtime.remove(name);
    await eventually('its end is noted', async () => {
      const { state, runtimeId } = await harness().workspace(name);
      return state === 'stopped' && runtimeId === undefined;
    });
    await harness().verb('start', name);
    await assertWorks();
  });

  itOfContainers('a daemon', 'stopped, started, paused, resumed by hand: the state follows', async () => {
    const container = harness().container(name);
    await container.pause();
    await harness().untilState(name, 'paused');
    await container.unpause();
    await harness().untilState(name, 'running');
    await container.stop({ t: 10 });
    await harness().untilState(name, 'stopped');
    await container.start();
    await harness().untilState(name, 'running');
    await assertWorks();
    await container.restart({ t: 10 });
    await eventually('keys are put in after a restart by hand', async () => {
      const { code } = await harness().trySsh(name, ['true']);
      return code === 0;
    });
    await harness().untilState(name, 'running');
    await assertWorks();
  });

  it('killed by hand (as by a machine out of memory): stopped, and starts again', async () => {
    await harness().runtime.kill(name);
    await harness().untilState(name, 'stopped');
    await harness().verb('start', name);
    await assertWorks();
  });

  it('stopped by hand: stopped, and starts again', async () => {
    await harness().runtime.stop(name);
    await harness().untilState(name, 'stopped');
    await harness().verb('start', name);
    await assertWorks();
  });

  itOfContainers('a daemon', 'restarted by hand while no engine runs: set up at its start', async () => {
    await harness().process.stop();
    await harness().container(name).restart({ t: 10 });
    await harness().start();
    await harness().untilState(name, 'running');
    await assertWorks();
  });

  it('removed while no engine runs: seen at its start', async () => {
    await harness().process.stop();
    await harness().runtime.remove(name);
    await harness().start();
    await harness().untilState(name, 'stopped');
    await harness().verb('start', name);
    await assertWorks();
  });

  it('the engine sleeps while things happen (SIGSTOP, as a closed laptop), and sees them when it wakes', async () => {
    harness().process.signal('SIGSTOP');
    await harness().runtime.stop(name);
    await sleep(1_500);
    harness().process.signal('SIGCONT');
    await harness().untilState(name, 'stopped');
    await harness().verb('start', name);
    await assertWorks();
  });

  it('a home volume that was removed as well: a restore names it and changes nothing, until told to go on', async () => {
    await harness().verb('archive', name);
    await harness().runtime.remove(name);
    await harness().runtime.removeVolume(`workspace-${name}`);
    const restore = (acceptEmpty: boolean) =>
      harness().client.call('workspaces.restore', { params: { name }, query: { acceptEmpty } });
    const refused = await failure(harness().done(await restore(false)), 'volume_gone');
    assert.match(refused.message, new RegExp(`The volume workspace-${name} is gone\\.`));
    assert.match(refused.hint ?? '', /--accept-empty/);
    assert.equal(await harness().state(name), 'archived');
    assert.equal(await harness().runtime.hasVolume(`workspace-${name}`), false);
    await harness().done(await restore(true));
    const { warnings, state } = await harness().workspace(name);
    assert.equal(state, 'running');
    const told = warnings.map(({ message }) => message).join('\n');
    assert.match(told, /was gone: a new, empty one was made/);
    assert.match(told, /What lay outside of volumes is gone/);
    assert.equal(await harness().ssh(name, ['test ! -e ~/kept && echo empty']), 'empty');
  });

  itLeavesNothing(harness);
});
