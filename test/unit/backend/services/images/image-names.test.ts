/** Every door that takes the name of an image, with names that once became addresses. */
import assert from 'node:assert/strict';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';

const wrong = [
  'a//b',
  './x',
  '/any/path.ext4',
  '..',
  'a/./b',
  'http://e/x',
  '../../127.0.0.1:1/x',
  'oci:/x',
  'a\nb',
];
wrong.push('docker-archive:/x:y', `${'a/'.repeat(200)}a`, 'UPPER', 'a?b=c', 'a:1@sha256:0');

describe('services: names of images at every door', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
    test.driver.volumes.add('workspace-old', undefined, false);
  });

  for (const image of wrong) {
    it(`refuses ${JSON.stringify(image.slice(0, 40))} before anything is asked or made`, async () => {
      const { creator, verbs, adoption, images, commits, settings } = test.services;
      const before = [...test.driver.calls];
      const operations = test.services.operations.list().length;
      const doors: Record<string, () => unknown> = {
        create: () => creator.create({ name: 'more', image }),
        rebuild: () => verbs.rebuild('demo', { confirm: true, image }),
        adopt: () => adoption.adopt('old', { volume: 'workspace-old', image }),
        pull: () => images.pull(image),
        push: () => images.push(image),
        save: () => images.save(image, '/tmp/x'),
        remove: () => images.remove(image),
        commit: () => commits.commit('demo', image),
      };
      for (const [door, open] of Object.entries(doors)) {
        const error = await failure(open, 'bad_request');
        assert.equal(error.field, 'image', door);
      }
      const { field } = await failure(settings.change({ defaultImage: image }), 'bad_request');
      assert.equal(field, 'defaultImage');
      // To adopt, the volume and the container are looked at; an image never is.
      const looks = /^(volumes\.)?inspect workspace-old$/;
      assert.deepEqual(
        test.driver.calls.filter((call) => !looks.test(call)),
        before,
      );
      assert.equal(test.services.operations.list().length, operations);
      assert.deepEqual(
        test.services.workspaces.list().map(({ name }) => name),
        ['demo'],
      );
    });
  }

  it('says of a file that microVMs are made of it', async () => {
    const { hint } = await failure(
      () => test.services.creator.create({ name: 'more', image: '/x.ext4' }),
      'bad_request',
    );
    assert.match(hint ?? '', /--runtime microvm/);
    await test.services.settings.change({ defaultImage: '/x.ext4', defaultRuntime: 'microvm' });
    const back = await failure(test.services.settings.change({ defaultRuntime: 'container' }), 'bad_request');
    assert.equal(back.field, 'defaultImage');
  });

  it('says of a default that is on disk already what is wrong with it', async () => {
    Object.assign(test.services.settings.get(), { defaultImage: 'a//b' });
    const { checks } = await test.services.doctor.report();
    const check = checks.find(({ name }) => name === 'image');
    assert.equal(check?.outcome, 'failed');
    assert.match(check.message, /"a\/\/b" is not the name of an image/);
    await failure(() => test.services.creator.create({ name: 'more' }), 'bad_request');
  });
});
