import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../../../src/api/errors';
import { useDemo } from '../../../../support/engine/demo';
import type { TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { until } from '../../../../support/wait';

describe('services/workspaces/rebuild', () => {
  const { engine, start, home, workspace, runtime, did } = useDemo();
  let test: TestEngine;
  beforeEach(() => {
    test = engine();
    test.driver.images.known.set('debian:12', 'sha256:debian');
  });

  const rebuild = async (image?: string) =>
    test.done(test.services.verbs.rebuild('demo', { confirm: true, ...(image !== undefined && { image }) }));

  it('makes a new runtime on another image, keeping the volume and running again', async () => {
    const id = runtime()?.id;
    assert.equal((await rebuild('debian:12')).status, 'succeeded');
    assert.notEqual(runtime()?.id, id);
    assert.equal(runtime()?.image, 'debian:12');
    assert.equal(workspace().spec.image, 'debian:12');
    assert.equal(workspace().state, 'running');
    assert.equal(workspace().imageId, 'sha256:debian');
    assert(!test.driver.calls.some((call) => call.startsWith('volumes.remove')));
  });

  it('names what goes, and changes nothing, until that is confirmed', async () => {
    const error = await failure(test.services.verbs.rebuild('demo'), 'needs_confirmation');
    assert.match(error.message, /312 files, 84 MiB/);
    assert.match(error.hint ?? '', /Volumes stay.*berth commit demo/);
    assert.equal(error.status, 409);
    assert.equal(workspace().state, 'running');
    assert(!did('stop') && !did('setAside'));
  });

  it('asks nothing where nothing would go', async () => {
    test.driver.own = { files: 0, bytes: 8192 };
    const { id } = runtime() ?? assert.fail();
    await test.done(test.services.verbs.rebuild('demo'));
    assert.notEqual(runtime()?.id, id);
  });

  for (const step of ['create', 'start', 'configure', 'startDocker']) {
    it(`brings the old runtime back, running, when the new one fails in "${step}"`, async () => {
      await test.create('big', { docker: true });
      const { id } = test.driver.runtimes.get('workspace-big') ?? assert.fail();
      test.driver.fail(step, new BerthError('not_supported', 'it does not work'));
      const { error, warnings } = await test.done(
        test.services.verbs.rebuild('big', { confirm: true, image: 'debian:12' }),
      );
      assert.equal(error?.message, 'it does not work');
      assert.match(warnings.join(), /the old one is back, with all its files/);
      assert.equal(test.driver.runtimes.get('workspace-big')?.id, id);
      const { state, spec, runtimeId } = test.services.workspaces.get('big');
      assert.deepEqual([state, runtimeId], ['running', id]);
      assert.notEqual(spec.image, 'debian:12');
      assert(!test.driver.calls.includes('remove workspace-big'));
    });
  }

  it('brings the old one back when a script fails that must not', async () => {
    const script = join(home(), 'fails.sh');
    await writeFile(script, '#!/bin/sh\n');
    await test.services.workspaces.update('demo', { postStart: { scripts: [script], failOnError: true } });
    const { id } = runtime() ?? assert.fail();
    test.driver.fail('exec', new BerthError('internal', 'the script failed'));
    const { error } = await rebuild('debian:12');
    assert.match(error?.message ?? '', /the script failed/);
    assert.equal(runtime()?.id, id);
    assert.equal(workspace().state, 'running');
    await test.done(test.services.verbs.stop('demo'));
    test.driver.fail('exec', new BerthError('internal', 'the script failed'));
    const stopped = await rebuild('debian:12');
    assert.match(stopped.error?.message ?? '', /the script failed/, 'also of one that is stopped');
    assert.equal(runtime()?.id, id);
    assert.equal(workspace().state, 'stopped');
  });

  it('says so when the old one is not back, and brings it back with the next verb', async () => {
    const { id } = runtime() ?? assert.fail();
    test.driver.fail('create', new BerthError('internal', 'it does not work'));
    test.driver.fail('takeBack', new BerthError('runtime_unavailable', 'no answer'));
    const { error, warnings } = await rebuild('debian:12');
    assert.equal(error?.message, 'it does not work');
    assert.match(warnings.join(), /not back yet: no answer/);
    await test.done(test.services.verbs.start('demo'));
    assert.equal(runtime()?.id, id);
    assert.equal(workspace().state, 'running');
    assert.notEqual(workspace().spec.image, 'debian:12');
  });

  it('leaves nothing of a new one where there was none', async () => {
    test.driver.behindOurBack('workspace-demo', 'removed');
    await until('its end is noted', () => workspace().state === 'stopped');
    test.driver.fail('configure', new BerthError('not_supported', 'it does not work'));
    assert.equal((await rebuild('debian:12')).status, 'failed');
    assert.equal(runtime(), undefined);
    assert.notEqual(workspace().spec.image, 'debian:12');
  });

  it('takes volumes that are gone for empty ones when told to, and knows the new ones', async () => {
    await test.driver.volumes.remove('workspace-demo');
    const refused = await rebuild('debian:12');
    assert.equal(refused.error?.code, 'volume_gone');
    assert(!did('stop'), 'looked at first');
    const accepted = await test.done(
      test.services.verbs.rebuild('demo', { confirm: true, acceptEmpty: true }),
    );
    assert.equal(accepted.status, 'succeeded', JSON.stringify(accepted.error));
    assert.match(JSON.stringify(workspace().warnings), /workspace-demo was gone: a new, empty one/);
    await test.done(test.services.verbs.restart('demo'));
    assert.equal(workspace().state, 'running');
  });

  for (const verb of ['setAside', 'create', 'start', 'configure', 'startDocker', 'dropAside']) {
    it(`is as before when the engine is killed in "${verb}"`, async () => {
      await test.create('big', { docker: true });
      const { id } = test.driver.runtimes.get('workspace-big') ?? assert.fail();
      const gate = test.driver.hold(verb);
      await test.services.verbs.rebuild('big', { confirm: true, image: 'debian:12' });
      await gate.entered;
      // The next engine: the last one says no more.
      const next = await start({}, test.driver.afterKill());
      const { state, spec, runtimeId } = next.services.workspaces.get('big');
      assert.deepEqual([state, runtimeId], ['stopped', id]);
      assert.notEqual(spec.image, 'debian:12');
      assert.equal(next.driver.aside.size, 0);
      await next.done(next.services.verbs.start('big'));
      assert.equal(next.driver.runtimes.get('workspace-big')?.id, id);
      gate.open();
    });
  }

  it('leaves a stopped one stopped', async () => {
    await test.done(test.services.verbs.stop('demo'));
    await rebuild();
    assert.equal(workspace().state, 'stopped');
    assert.equal(runtime()?.state, 'stopped');
  });

  it('touches nothing when the image is missing', async () => {
    const error = await failure(rebuild('none:1'), 'image_missing');
    assert.match(error.hint ?? '', /berth image pull none:1/);
    assert.equal(error.status, 422);
    assert.equal(workspace().state, 'running');
    assert(!did('stop') && !did('remove'));
  });

  it('keeps what was changed while it ran', async () => {
    const gate = test.driver.hold('stop');
    const operation = await test.services.verbs.rebuild('demo', { confirm: true });
    await gate.entered;
    await test.services.workspaces.update('demo', { env: { NEW: '1' } });
    gate.open();
    await test.done(operation);
    assert.deepEqual(workspace().spec.env, { NEW: '1' });
  });
});
