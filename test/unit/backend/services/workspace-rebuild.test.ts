import assert from 'node:assert/strict';
import { BerthError } from '../../../../src/api/errors';
import { useEngine, type TestEngine } from '../../../support/engine';
import { failure } from '../../../support/errors';

describe('services/workspace-rebuild', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
    test.driver.calls.length = 0;
  });

  const workspace = () => test.services.workspaces.get('demo');
  const runtime = () => test.driver.runtimes.get('workspace-demo');
  const did = (verb: string) => test.driver.calls.includes(`${verb} workspace-demo`);
  const rebuild = async (image?: string) =>
    test.done(
      test.services.workspaces.rebuild('demo', { confirm: true, ...(image !== undefined && { image }) }),
    );

  it('makes a new runtime on another image, keeping the volume and running again', async () => {
    test.driver.images.known.set('debian:12', 'sha256:debian');
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
    const error = await failure(test.services.workspaces.rebuild('demo'), 'needs_confirmation');
    assert.match(error.message, /312 files, 84 MiB/);
    assert.match(error.hint ?? '', /Volumes stay.*berth commit demo/);
    assert.equal(error.status, 409);
    assert.equal(workspace().state, 'running');
    assert(!did('stop') && !did('setAside'));
  });

  it('asks nothing where nothing would go', async () => {
    test.driver.own = { files: 0, bytes: 8192 };
    const { id } = runtime() ?? assert.fail();
    await test.done(test.services.workspaces.rebuild('demo'));
    assert.notEqual(runtime()?.id, id);
  });

  for (const step of ['create', 'start', 'configure']) {
    it(`brings the old runtime back, running, when the new one fails in "${step}"`, async () => {
      test.driver.images.known.set('debian:12', 'sha256:debian');
      const { id } = runtime() ?? assert.fail();
      test.driver.fail(step, new BerthError('not_supported', 'it does not work'));
      const { error } = await rebuild('debian:12');
      assert.equal(error?.message, 'it does not work');
      assert.equal(runtime()?.id, id);
      assert.equal(workspace().state, 'running');
      assert.notEqual(workspace().spec.image, 'debian:12');
      assert(!did('remove'));
    });
  }

  it('leaves a stopped one stopped', async () => {
    await test.done(test.services.workspaces.stop('demo'));
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
    const operation = await test.services.workspaces.rebuild('demo', { confirm: true });
    await gate.entered;
    await test.services.workspaces.update('demo', { env: { NEW: '1' } });
    gate.open();
    await test.done(operation);
    assert.deepEqual(workspace().spec.env, { NEW: '1' });
  });
});
