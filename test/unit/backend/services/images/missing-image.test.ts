import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { BerthError } from '../../../../../src/api/errors';
import { runAs } from '../../../../../src/backend/services/callers/caller';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { until } from '../../../../support/wait';

describe('services/images/missing-image: the image of a create that is not there', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  async function assertNothingLeft(): Promise<void> {
    const { driver, state } = test;
    assert.deepEqual([...driver.runtimes.keys(), ...driver.volumes.names], []);
    assert.deepEqual([await readdir(state.workspaces), await readdir(state.hostKeys)], [[], []]);
  }

  it('builds the default image when it is missing, as a step; that one is never pulled', async () => {
    test.driver.images.known.clear();
    const gate = test.driver.hold('build');
    const both = [test.create('demo'), test.create('other')];
    await gate.entered;
    const building = () =>
      test.services.operations
        .list(true)
        .flatMap(({ steps }) => steps)
        .filter(({ title, outcome }) => title === 'Build workspace:latest' && outcome === 'running');
    await until('both wait for it', () => building().length === 2);
    await until('its progress is shown', () =>
      test.services.operations.list(true).some(({ progress }) => progress?.current === 'Step 1'),
    );
    gate.open();
    for (const { status, steps } of await Promise.all(both)) {
      assert.equal(status, 'succeeded');
      assert(steps.some(({ name, outcome }) => name === 'build' && outcome === 'done'));
    }
    assert.deepEqual(test.driver.images.built, [{ noCache: false, toolsOnly: false, imageOnly: true }]);
    assert(!test.driver.calls.some((call) => call.startsWith('pull')));
  });

  it('leaves nothing when it is cancelled while the default image is built, and others go on', async () => {
    test.driver.images.known.clear();
    const gate = test.driver.hold('build');
    const begun = await test.services.creator.create({ name: 'demo' });
    await gate.entered;
    const other = await test.services.creator.create({ name: 'other' });
    for (; other.steps.every(({ name }) => name !== 'build');) {
      await test.services.operations.wait(other.id, 5);
    }
    test.services.operations.cancel(begun.id);
    assert.equal((await test.done(begun)).status, 'cancelled');
    await failure(() => test.services.workspaces.get('demo'), 'not_found');
    assert.equal(other.status, 'running');
    test.services.operations.cancel(other.id);
    assert.equal((await test.done(other)).status, 'cancelled');
    await assertNothingLeft();
  });

  it('says why the default image was not built, and leaves nothing', async () => {
    test.driver.images.known.clear();
    test.driver.fail('build', new BerthError('internal', 'no network'));
    const operation = await test.create('demo');
    assert.equal(operation.error?.message, 'no network');
    await assertNothingLeft();
  });

  it('says how to build the default image when it is missing and a token asks', async () => {
    test.driver.images.known.clear();
    const token = { kind: 'token', id: 'ci', scope: 'manage', workspaces: 'all' } as const;
    const operation = await runAs(token, () => test.create('demo'));
    assert.deepEqual(test.driver.images.built, []);
    assert.deepEqual(operation.error, {
      code: 'image_missing',
      message: "The workspace image 'workspace:latest' is not built yet.",
      hint: 'Build it: `berth image build`.',
      field: 'image',
    });
    assert(!test.driver.calls.some((call) => call.startsWith('pull')));
  });

  it('makes a microVM of an image from a registry, and says so, where nothing can build the default one', async () => {
    Object.assign(test.driver, { kind: 'microvm' });
    test.driver.images.known.clear();
    const { status, warnings } = await test.create('demo', { runtime: 'microvm' });
    assert.equal(status, 'succeeded');
    assert.match(warnings[0] ?? '', /workspace:latest needs Docker or Podman .*: debian:12 is used/);
    assert.equal(test.services.workspaces.get('demo').spec.image, 'debian:12');
    test.driver.fail('build', new BerthError('runtime_unavailable', 'no Docker'));
    const named = await test.create('named', { runtime: 'microvm', image: 'workspace:latest' });
    assert.equal(named.error?.message, 'no Docker', 'what was named is never replaced');
    test.driver.images.known.set('workspace:latest', 'sha256:workspace');
    const built = await test.create('built', { runtime: 'microvm' });
    assert.deepEqual(built.warnings, []);
    assert.equal(test.services.workspaces.get('built').spec.image, 'workspace:latest');
  });
});
