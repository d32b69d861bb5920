import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { BerthError } from '../../../../src/api/errors';
import { useEngine, type TestEngine } from '../../../support/engine';
import { failure } from '../../../support/errors';

describe('services/workspaces', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
    test.driver.calls.length = 0;
  });

  const workspace = () => test.services.workspaces.get('demo');

  describe('delete', () => {
    it('removes runtime, home and Docker volume, keys, secrets, port, record; named volumes stay', async () => {
      await test.create('big', { docker: true, volumes: ['data:/data'], secrets: { A: 'b' } });
      test.driver.volumes.add('data');
      const operation = await test.done(test.services.workspaces.delete('big', false));
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
      const operation = await test.done(test.services.workspaces.delete('demo', true));
      assert.deepEqual(operation.result, { deleted: [] });
      assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
      assert.equal(test.driver.runtimes.size, 0);
    });

    it('goes to error when it fails, and can be done again', async () => {
      test.driver.fail('volumes.remove', new BerthError('in_use', 'volume is in use', { hint: 'Look.' }));
      const operation = await test.done(test.services.workspaces.delete('demo', false));
      assert.equal(operation.error?.message, 'volume is in use');
      assert.equal(workspace().state, 'error');
      assert.deepEqual(workspace().problem, {
        ...{ code: 'in_use', message: 'volume is in use', step: 'delete', hint: 'Look.' },
      });
      await test.done(test.services.workspaces.delete('demo', false));
      await failure(workspace, 'not_found');
    });

    it('leaves it as it was when the runtime can not be reached', async () => {
      test.driver.down = true;
      const operation = await test.done(test.services.workspaces.delete('demo', false));
      assert.equal(operation.error?.code, 'runtime_unavailable');
      assert.equal(workspace().state, 'running');
      assert.equal(workspace().problem?.step, 'delete');
      test.driver.down = false;
      await test.done(test.services.workspaces.delete('demo', false));
      await failure(workspace, 'not_found');
    });

    it('ends what is under way first', async () => {
      await test.done(test.services.workspaces.stop('demo'));
      const gate = test.driver.hold('start');
      const start = test.services.workspaces.start('demo');
      await gate.entered;
      const operation = test.services.workspaces.delete('demo', false);
      gate.open();
      await test.done(operation);
      assert.equal(test.services.operations.get(start.id).status, 'cancelled');
      await failure(() => test.services.workspaces.get('demo'), 'not_found');
    });

    it('succeeds when it is being deleted already', async () => {
      const gate = test.driver.hold('remove');
      const first = test.services.workspaces.delete('demo', false);
      await gate.entered;
      const second = test.services.workspaces.delete('demo', false);
      gate.open();
      await test.done(first);
      assert.deepEqual((await test.done(second)).result, { deleted: [] });
    });

    it('can not be cancelled, nor met by another verb', async () => {
      const gate = test.driver.hold('remove');
      const operation = test.services.workspaces.delete('demo', false);
      await gate.entered;
      await failure(() => test.services.operations.cancel(operation.id), 'illegal_state');
      await failure(() => test.services.workspaces.start('demo'), 'illegal_state');
      gate.open();
      await test.done(operation);
      assert.deepEqual(test.payloads('workspace.deleted'), [{ name: 'demo' }]);
    });
  });
});
