import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { BerthError } from '../../../../../src/api/errors';
import { useDemo } from '../../../../support/engine/demo';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { fillDisk, mountSmallDisk, unmount } from '../../../../support/files/small-disk';
import { skipWithout } from '../../../../support/skip';

describe('services/workspaces/workspaces', () => {
  const { engine, workspace } = useDemo();
  let test: TestEngine;
  beforeEach(() => (test = engine()));

  describe('delete', () => {
    it('removes runtime, home and Docker volume, keys, secrets, port, record; named volumes stay', async () => {
      await test.create('big', { docker: true, volumes: ['data:/data'], secrets: { A: 'b' } });
      test.driver.volumes.add('data');
      const operation = await test.done(test.services.verbs.delete('big'));
      assert.deepEqual(operation.result, { deleted: ['workspace-big', 'workspace-big-docker'] });
      assert.deepEqual(test.driver.volumes.names, ['data', 'workspace-demo']);
      assert.deepEqual(await readdir(test.state.workspaces), ['demo']);
      assert.deepEqual((await readdir(test.state.hostKeys)).sort(), ['demo', 'demo.pub']);
      assert(!(await readFile(test.state.secrets, 'utf8')).includes('big'));
      assert(!(await readFile(test.state.sshConfig, 'utf8')).includes('berth-big'));
      await test.create('next');
      assert.equal(
        test.services.workspaces.get('next').sshPort,
        test.services.settings.portRange.first + 1,
        'its port is free',
      );
    });

    it('keeps the volumes if told so', async () => {
      const operation = await test.done(test.services.verbs.delete('demo', { keepVolumes: true }));
      assert.deepEqual(operation.result, { deleted: [] });
      assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
      assert.equal(test.driver.runtimes.size, 0);
    });

    it('shows one whose folder can not be removed, to be deleted once more', async () => {
      const gate = test.driver.hold('remove');
      const deletion = test.services.verbs.delete('demo');
      await gate.entered;
      const aside = `${test.state.workspaces}-aside`;
      await rename(test.state.workspaces, aside);
      await writeFile(test.state.workspaces, '');
      gate.open();
      assert.equal((await test.done(deletion)).status, 'failed');
      assert.equal(workspace().state, 'error');
      await rm(test.state.workspaces);
      await rename(aside, test.state.workspaces);
      await test.done(test.services.verbs.delete('demo'));
      await failure(workspace, 'not_found');
      assert.deepEqual(await readdir(test.state.workspaces), []);
    });

    it('goes to error when it fails, and can be done again', async () => {
      test.driver.fail('volumes.remove', new BerthError('in_use', 'volume is in use', { hint: 'Look.' }));
      const operation = await test.done(test.services.verbs.delete('demo'));
      assert.equal(operation.error?.message, 'volume is in use');
      assert.equal(workspace().state, 'error');
      assert.deepEqual(workspace().problem, {
        ...{ code: 'in_use', message: 'volume is in use', step: 'delete', hint: 'Look.' },
      });
      await test.done(test.services.verbs.delete('demo'));
      await failure(workspace, 'not_found');
    });

    it('leaves it as it was when the runtime can not be reached', async () => {
      test.driver.down = true;
      const operation = await test.done(test.services.verbs.delete('demo'));
      assert.equal(operation.error?.code, 'runtime_unavailable');
      assert.equal(workspace().state, 'running');
      assert.equal(workspace().problem?.step, 'delete');
      test.driver.down = false;
      await test.done(test.services.verbs.delete('demo'));
      await failure(workspace, 'not_found');
    });

    it('ends what is under way first', async () => {
      await test.done(test.services.verbs.stop('demo'));
      const gate = test.driver.hold('start');
      const start = test.services.verbs.start('demo');
      await gate.entered;
      const operation = test.services.verbs.delete('demo');
      gate.open();
      await test.done(operation);
      assert.equal(test.services.operations.get(start.id).status, 'cancelled');
      await failure(() => test.services.workspaces.get('demo'), 'not_found');
    });

    it('succeeds when it is being deleted already', async () => {
      const gate = test.driver.hold('remove');
      const first = test.services.verbs.delete('demo');
      await gate.entered;
      const second = test.services.verbs.delete('demo');
      gate.open();
      await test.done(first);
      assert.deepEqual((await test.done(second)).result, { deleted: [] });
    });

    it('can not be cancelled, nor met by another verb', async () => {
      const gate = test.driver.hold('remove');
      const operation = test.services.verbs.delete('demo');
      await gate.entered;
      await failure(() => test.services.operations.cancel(operation.id), 'illegal_state');
      await failure(() => test.services.verbs.start('demo'), 'illegal_state');
      gate.open();
      await test.done(operation);
      assert.deepEqual(test.payloads('workspace.deleted'), [{ name: 'demo' }]);
    });

    it('ends in error whatever fails, and goes on when it is asked to again', async () => {
      await test.create('kept', { secrets: { A: 'b' } });
      await rename(test.state.secrets, `${test.state.secrets}.away`);
      await mkdir(test.state.secrets);
      const operation = await test.done(test.services.verbs.delete('kept'));
      assert.equal(operation.status, 'failed');
      assert.equal(test.services.workspaces.get('kept').state, 'error');
      await rmdir(test.state.secrets);
      await test.done(test.services.verbs.delete('kept'));
      await failure(() => test.services.workspaces.get('kept'), 'not_found');
    });

    it('is begun again where it was left, with nobody working at it', async () => {
      test.services.workspaces.list();
      const { registry } = test.services.workspaces['deps'];
      await registry.update('demo', { state: 'deleting' });
      await test.done(test.services.verbs.delete('demo'));
      await failure(workspace, 'not_found');
    });
  });
});

describe('services/workspaces/workspaces on a full disk (mounts a tmpfs: needs root)', () => {
  let disk = '';
  // Before the folder goes: hooks run in the order in which they are given.
  afterEach(() => unmount(disk));
  const { start, home } = useEngine();
  beforeEach(function () {
    disk = home();
    if (!mountSmallDisk(disk, '1m')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
  });

  it('deletes, starts again, lists, and says why a create is refused', async () => {
    const first = await start();
    await first.create('one', { secrets: { TOKEN: 'x' } });
    await first.create('two');
    fillDisk(home());
    const refused = await failure(first.services.creator.create({ name: 'three' }), 'no_space');
    assert.match(refused.message, /disk is full/);
    assert.deepEqual(
      first.services.workspaces.list().map(({ name }) => name),
      ['one', 'two'],
    );
    const deleted = await first.done(first.services.verbs.delete('one'));
    assert.equal(deleted.status, 'succeeded', deleted.error?.message);
    assert.deepEqual(await readdir(first.state.workspaces), ['two']);
    assert(!(await readFile(first.state.secrets, 'utf8')).includes('TOKEN'));
    await first.engine.close();

    fillDisk(home());
    const second = await start({}, first.driver);
    assert.deepEqual(
      second.services.workspaces.list().map(({ name }) => name),
      ['two'],
    );
    const last = await second.done(second.services.verbs.delete('two'));
    assert.equal(last.status, 'succeeded', last.error?.message);
    assert.deepEqual(await readdir(first.state.workspaces), []);
  });
});
