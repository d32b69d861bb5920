import assert from 'node:assert/strict';
import { BerthError } from '../../../../../../src/api/errors';
import { setTimeout as sleep } from 'node:timers/promises';
import { useEngine, type TestEngine } from '../../../../../support/engine/engine';
import { turns, until } from '../../../../../support/wait';

describe('services/workspaces/watch/reconcile: when one workspace can not be looked at', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
  });
  const name = 'workspace-demo';
  const workspace = () => test.services.workspaces.get('demo');

  const others = ['a', 'z'];
  async function killedWithOne(broken: () => void): Promise<void> {
    for (const other of others) {
      await test.create(other);
    }
    await test.engine.close();
    broken();
    test = await start({ reconcileRetryMs: 30 }, test.driver);
  }
  const stateOf = (other: string) => test.services.workspaces.get(other).state;

  it('says of a full disk that it is full, not that nobody answers', async () => {
    const inspect = test.driver.inspect.bind(test.driver);
    const full = new BerthError('no_space', 'The disk is full: a.json was not written and is as it was.');
    test.driver.inspect = (of) => (of === name ? Promise.reject(full) : inspect(of));
    await killedWithOne(() => undefined);
    assert.equal(workspace().stateDetail, full.message);
    test.driver.inspect = inspect;
    await until('it is looked at again', () => workspace().stateDetail === undefined);
  });

  it('says so, looks at all others, hears what happens from then on, and tries again', async () => {
    const gate = { broken: true };
    const inspect = test.driver.inspect.bind(test.driver);
    test.driver.inspect = (of) =>
      gate.broken && of === name ? Promise.reject(new Error('500')) : inspect(of);
    await killedWithOne(() => {
      const running = test.driver.runtimes.get('workspace-a');
      assert(running !== undefined);
      running.state = 'stopped';
    });
    assert.equal(stateOf('a'), 'stopped');
    assert.equal(stateOf('z'), 'running');
    assert.equal(workspace().state, 'running');
    assert.match(workspace().stateDetail ?? '', /does not answer/);
    test.driver.behindOurBack('workspace-z', 'stopped');
    await until('the event is taken in', () => stateOf('z') === 'stopped');
    gate.broken = false;
    await until('it is looked at again', () => workspace().stateDetail === undefined);
    assert.equal(workspace().state, 'running');
    const asked = () => test.driver.calls.filter((call) => call === `inspect ${name}`).length;
    const before = asked();
    await sleep(150);
    assert.equal(asked(), before, 'and then no more');
  });

  it('tries the list again when that fails without the daemon being gone', async () => {
    await killedWithOne(() => {
      test.driver.fail('list', new Error('500'), new Error('500'));
      test.driver.runtimes.clear();
    });
    assert.equal(workspace().state, 'running');
    await until('all are looked at', () => [...others, 'demo'].every((one) => stateOf(one) === 'stopped'));
  });

  it('hears what happens while it looks at the others for the first time', async () => {
    await test.engine.close();
    const gate = test.driver.hold('list');
    const starting = start({}, test.driver);
    await gate.entered;
    assert(test.driver.listenerCount > 0);
    test.driver.behindOurBack(name, 'stopped');
    gate.open();
    test = await starting;
    await until('it is known', () => workspace().state === 'stopped');
  });

  it('looks once more when a connection comes up during a round, not once for each', async () => {
    const gate = test.driver.hold('list');
    test.driver.calls.length = 0;
    for (let count = 0; count < 5; count += 1) {
      test.driver.emit({ type: 'connection', up: true });
    }
    await gate.entered;
    gate.open();
    await turns(50);
    assert.equal(test.driver.calls.filter((call) => call === 'list').length, 2);
  });
});
