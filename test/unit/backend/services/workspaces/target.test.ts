/** A workspace whose container engine is not the one in use: what works on it is refused, and changes nothing. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { asBerthError } from '../../../../../src/api/errors';
import type { Operation } from '../../../../../src/api/operations/schemas';
import { rootFilesOf } from '../../../../../src/api/rules/root-files';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { until } from '../../../../support/wait';
import { failure } from '../../../../support/errors';
import { FakeDriver } from '../../../../support/fakes/fake-driver';

describe('services/workspaces/target', () => {
  const { start } = useEngine();
  const there = (): FakeDriver => Object.assign(new FakeDriver(), { isElsewhere: true });
  let box: FakeDriver;
  let here: FakeDriver;
  let test: TestEngine;
  beforeEach(async () => {
    [box, here] = [there(), new FakeDriver()];
    const before = await start({}, box);
    await before.create('demo', { docker: true, secrets: { A: 'b' } });
    await before.engine.close();
    box.calls.length = 0;
    test = await start({}, here);
  });

  const shown = () => test.services.workspaces.get('demo');
  const message =
    'Workspace demo is on box, and the container engine in use is that of this machine. Nothing was changed.';
  const errorOf = (work: () => Operation | Promise<Operation>) =>
    test.done(work()).then(
      ({ error }) => error,
      (error: unknown) => asBerthError(error).toBody(),
    );
  const changes = () =>
    here.calls.filter((call) => !/^(?:list|inspect|status|volumes\.(?:list|inspect))\b/.test(call));
  const verbs = ['start', 'stop', 'restart', 'pause', 'resume', 'archive', 'rebuild', 'delete'] as const;

  for (const verb of verbs) {
    it(`${verb}: refused in a sentence that names both machines and the ways out`, async () => {
      const error = await errorOf(() => test.services.verbs[verb]('demo'));
      assert.equal(error?.message, message);
      assert.deepEqual([error.code, error.remedy], ['runtime_unavailable', 'forget']);
      assert.match(error.hint ?? '', /^Name the container engine of box again: in the setting dockerHost/);
      assert.match(error.hint ?? '', /Or forget the workspace here, .*: `berth delete demo --forget`\.$/);
      assert.deepEqual([shown().state, shown().stateDetail], ['running', message]);
      assert.equal(shown().problem, undefined);
      assert.deepEqual(changes(), []);
    });
  }

  it('names the other machine as the one in use when the workspace is on this one', async () => {
    await test.create('near');
    await test.engine.close();
    test = await start({}, there());
    const error = await failure(test.services.verbs.rebuild('near', { confirm: true }));
    assert.match(error.message, /near is on this machine, and the container engine in use is that of box/);
    assert.match(error.hint ?? '', /^Take box out of the setting dockerHost/);
  });

  it('is the same for commands, files, limits and images of it', async () => {
    const { access, volumes, workspaces, locations, commits } = test.services;
    const signal = new AbortController().signal;
    const uses: Record<string, () => unknown> = {
      exec: () => access.exec('demo', { argv: ['true'] }, signal),
      logs: () => access.logs('demo', { tail: 1, follow: false, timestamps: false, signal }),
      stats: () => access.stats('demo'),
      home: () => volumes.files('workspace-demo'),
      root: () => volumes.files(rootFilesOf('demo')),
      locate: () => locations.locate('demo', '/tmp', { follow: true }),
      limits: () => workspaces.update('demo', { limits: { cpus: 1 } }),
    };
    for (const [what, use] of Object.entries(uses)) {
      assert.equal((await failure(use)).message, message, what);
    }
    assert.equal((await test.done(commits.commit('demo', 'x:1'))).error?.message, message);
    assert.deepEqual(changes(), []);
  });

  it('is shown as last seen, not as stopped, whatever the container engine in use tells', async () => {
    here.addForeign('workspace-demo', [], 'demo');
    here.emit({ type: 'connection', up: false });
    here.emit({ type: 'connection', up: true });
    here.emit({ type: 'runtime', name: 'workspace-demo', workspace: 'demo', what: 'started' });
    await until('it is looked at', () => shown().stateDetail === message);
    assert.equal(shown().state, 'running');
    assert.deepEqual(changes(), []);
  });

  it('goes on where its own container engine answers again, by whatever name', async () => {
    await test.engine.close();
    box.isElsewhere = false;
    test = await start({}, box);
    assert.deepEqual([shown().state, shown().stateDetail], ['running', undefined]);
    await test.done(test.services.verbs.restart('demo'));
    assert.equal(shown().spec.target, 'local');
    assert.equal((await test.done(test.services.verbs.delete('demo'))).status, 'succeeded');
    assert.equal(box.runtimes.size, 0);
  });

  it('is known by its home where the runtime is gone', async () => {
    await test.engine.close();
    box.isElsewhere = false;
    box.runtimes.clear();
    test = await start({}, box);
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
  });

  it('asks for its runtime once only where its machine has another name', async () => {
    await test.engine.close();
    box.isElsewhere = false;
    box.identity = { id: 'one', host: 'unix:///one.sock' };
    test = await start({}, box);
    box.calls.length = 0;
    for (let time = 0; time < 3; time += 1) {
      await test.services.volumes.files('workspace-demo');
    }
    assert.deepEqual(
      box.calls.filter((call) => call.startsWith('inspect')),
      [],
    );
  });

  describe('of two container engines of one machine', () => {
    const as = (driver: FakeDriver, id: string, host = `unix:///${id}.sock`): FakeDriver =>
      Object.assign(driver, { identity: { id, host } });
    let one: FakeDriver;
    beforeEach(async () => {
      one = as(new FakeDriver(), 'one');
      await test.engine.close();
      const before = await start({}, one);
      await before.create('mine');
      await before.engine.close();
      here = as(new FakeDriver(), 'two');
      test = await start({}, here);
    });
    const mine = () => test.services.workspaces.get('mine');
    const refusal =
      'Workspace mine is on the container engine unix:///one.sock of this machine, and the one in use is unix:///two.sock. Nothing was changed.';

    for (const verb of verbs) {
      it(`${verb}: refused in a sentence that names both, and nothing is lost`, async () => {
        const error = await errorOf(() => test.services.verbs[verb]('mine'));
        assert.equal(error?.message, refusal);
        assert.equal(error.remedy, 'forget');
        assert.match(error.hint ?? '', /^Name unix:\/\/\/one\.sock again: in the setting dockerHost/);
        assert.deepEqual([mine().state, mine().stateDetail], ['running', refusal]);
        assert.deepEqual(changes(), []);
      });
    }

    it('says so where another one answers at the same address', async () => {
      await test.engine.close();
      test = await start({}, as(new FakeDriver(), 'two', 'unix:///one.sock'));
      const error = await errorOf(() => test.services.verbs.stop('mine'));
      assert.match(
        error?.message ?? '',
        /made by another container engine at unix:\/\/\/one\.sock than the one/,
      );
    });

    it('goes on where its own answers again, at whatever address, and with another id', async () => {
      await test.engine.close();
      test = await start({}, as(one, 'renewed', 'unix:///moved.sock'));
      assert.deepEqual([mine().state, mine().stateDetail], ['running', undefined]);
      await test.done(test.services.verbs.restart('mine'));
      await test.engine.close();
      one.runtimes.clear();
      one.volumes.known.clear();
      test = await start({}, one);
      // By its new id it is known without its runtime and its home.
      assert.equal((await errorOf(() => test.services.verbs.start('mine')))?.code, 'volume_gone');
    });

    it('is no other than before for records that name none', async () => {
      await test.engine.close();
      one.identity = undefined;
      test = await start({}, one);
      assert.equal(await errorOf(() => test.services.verbs.stop('mine')), undefined);
    });
  });

  it('can be forgotten: all of it here goes, and nothing there', async () => {
    const operation = await test.done(test.services.verbs.delete('demo', { forget: true }));
    assert.deepEqual([operation.status, operation.result], ['succeeded', { deleted: [] }]);
    await failure(shown, 'not_found');
    assert(!(await readFile(test.state.secrets, 'utf8')).includes('demo'));
    assert(!(await readFile(test.state.sshConfig, 'utf8')).includes('demo'));
    assert.deepEqual([...changes(), ...box.calls], []);
    assert.equal(box.runtimes.get('workspace-demo')?.state, 'running');
  });

  it('is not forgotten while it is in reach, but also where its container engine is down', async () => {
    await test.create('near');
    const refused = await test.done(test.services.verbs.delete('near', { forget: true }));
    assert.match(refused.error?.message ?? '', /near is in reach: its container can be deleted/);
    const near = () => test.services.workspaces.get('near');
    assert.deepEqual([near().state, near().problem], ['running', undefined]);
    here.down = true;
    const { error } = await test.done(test.services.verbs.delete('near'));
    assert.deepEqual([error?.code, error?.remedy], ['runtime_unavailable', 'forget']);
    assert.match(error?.hint ?? '', /Or forget the workspace here, .*: `berth delete near --forget`\.$/);
    assert.equal((await test.done(test.services.verbs.delete('near', { forget: true }))).status, 'succeeded');
    await failure(near, 'not_found');
  });
});
