/** Images that come as an archive, of one kind of Docker or another. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { imageOf, LayoutMaker, savedOf, tarOf } from '../../../../../support/images';
import { useTempFolder } from '../../../../../support/temp';
import { checkClean, namesIn, never, silent, storeIn } from './store';

describe('rootfs of what is loaded', function () {
  this.timeout(60_000);
  const temp = useTempFolder();
  const image = imageOf([[{ name: 'one' }], [{ name: 'two' }]]);
  const layout = new LayoutMaker().add(image, {});

  for (const [what, archive] of [
    ['an old Docker has saved', savedOf([{ image, tags: ['other:1'] }])],
    ['an OCI layout holds', tarOf(layout.members)],
  ] as const) {
    it(`is what ${what}, under the name that is given`, async () => {
      const store = storeIn(temp());
      await store.load('berth-fork/demo:1', Readable.from([archive]), never);
      const { path } = await store.ensure('berth-fork/demo:1', silent, never);
      assert.deepEqual(await namesIn(path, '/'), ['one', 'two']);
      await checkClean(path);
      await assert.rejects(store.ensure('other:1', silent, never));
    });
  }

  it('is nothing at all where a layer is another one, or the archive is cut off', async () => {
    const store = storeIn(temp());
    const other = { ...image, layers: imageOf([[{ name: 'x' }], [{ name: 'y' }]]).layers };
    const whole = savedOf([{ image, tags: null }]);
    for (const archive of [
      savedOf([{ image: other, tags: null }]),
      whole.subarray(0, 2_000),
      Buffer.alloc(0),
    ]) {
      await assert.rejects(store.load('demo:1', Readable.from([archive]), never));
      await assert.rejects(store.ensure('demo:1', silent, never));
    }
  });
});
