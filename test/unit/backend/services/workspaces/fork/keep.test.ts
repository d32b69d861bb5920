import assert from 'node:assert/strict';
import { BerthError } from '../../../../../../src/api/errors';
import { useEngine } from '../../../../../support/engine/engine';
import { FakeDriver } from '../../../../../support/fakes/fake-driver';
import { FakeSnapshots } from '../../../../../support/fakes/fake-snapshots';

describe('services/workspaces/fork: keep', () => {
  const { start } = useEngine();

  it('changes nothing where nothing could be made of the image of what the source had', async () => {
    const driver = new FakeDriver();
    const contents = new Map<string, string>();
    const stored = new FakeSnapshots((verb, of) => driver['act'](verb, of), contents);
    Object.assign(driver.volumes, { snapshots: stored });
    const test = await start({}, driver);
    // Of a fork the machine's identity is made anew.
    driver.volumes.add('root of workspace-try');
    driver.volumes.add('root of workspace-demo');
    await test.create('demo');
    contents.set('workspace-demo', 'of the source');
    const { forks, keeping } = test.services;
    const forked = await test.done(forks.fork('demo', { names: ['try'], start: false }));
    assert.equal(forked.status, 'succeeded', forked.error?.message);
    contents.set('workspace-try', 'of the fork');
    const images = new Set(driver.images.known.keys());
    const isBefore = (image: string) => image.startsWith('berth-before-keep/');
    const prepare = (image: string) =>
      isBefore(image)
        ? Promise.reject(new BerthError('illegal_state', 'Its journal could not be replayed.'))
        : Promise.resolve([]);
    Object.assign(driver.images, { prepare });

    const failed = await test.done(keeping.keep('try', {}));
    assert.match(failed.error?.message ?? '', /journal could not be replayed/);
    assert.equal(contents.get('workspace-demo'), 'of the source');
    assert.deepEqual(new Set(driver.images.known.keys()), images, 'no image of it stays');

    Object.assign(driver.images, { prepare: () => Promise.resolve([]) });
    const kept = await test.done(keeping.keep('try', {}));
    assert.equal(kept.status, 'succeeded', kept.error?.message);
    assert.equal(contents.get('workspace-demo'), 'of the fork');
    assert([...driver.images.known.keys()].some(isBefore));
  });
});
