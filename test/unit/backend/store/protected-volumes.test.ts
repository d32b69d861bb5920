import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProtectedVolumes } from '../../../../src/backend/store/protected-volumes';
import { failure } from '../../../support/errors';
import { until } from '../../../support/wait';
import { useTempFolder } from '../../../support/temp';
import { volume } from '../../providers/fixtures';

describe('store/protected-volumes', () => {
  const folder = useTempFolder();
  const path = () => join(folder(), 'protected-volumes.json');

  const load = async () => {
    const list = new ProtectedVolumes(path());
    await list.load();
    return list;
  };

  it('knows them over a start of the engine, and leaves nothing behind', async () => {
    const first = new ProtectedVolumes(path());
    await first.load();
    await Promise.all(['data', 'cache', 'data'].map((name) => first.set(volume(name), true)));
    const second = new ProtectedVolumes(path());
    await second.load();
    assert.equal(second.shown(volume('data')).protected, true);
    assert.deepEqual(second.shown(volume('other')), volume('other'));
    await failure(() => second.refuse(volume('cache')), 'illegal_state');
    second.refuse(volume('other'));
    await second.set(volume('never'), false);
    await Promise.all(['data', 'cache'].map((name) => second.set(volume(name), false)));
    assert.equal(existsSync(path()), false);
  });

  it('does not count what can not be written, and leaves the list of a newer Berth alone', async () => {
    const newer = '{"schemaVersion":99,"volumes":"?"}';
    await writeFile(path(), newer);
    await failure(new ProtectedVolumes(path()).load(), 'forbidden');
    const blind = new ProtectedVolumes(path());
    await failure(blind.set(volume('data'), true), 'forbidden');
    blind.refuse(volume('data'));
    assert.equal(await readFile(path(), 'utf8'), newer);
  });

  it('tells volumes of one name on two machines, or of two kinds, apart', async () => {
    const list = await load();
    await list.set({ name: 'data', kind: 'docker', target: 'box' }, true);
    const again = await load();
    await failure(() => again.refuse({ name: 'data', kind: 'docker', target: 'box' }), 'illegal_state');
    again.refuse({ name: 'data', kind: 'docker' });
    again.refuse({ name: 'data', kind: 'disk' });
    assert.equal(again.shown(volume('data')).protected, undefined);
  });

  it('goes on to protect what a list of before has by its name alone, whatever it is', async () => {
    await writeFile(path(), '{"schemaVersion":1,"volumes":["data"]}');
    const list = await load();
    await failure(() => list.refuse({ name: 'data', kind: 'docker' }), 'illegal_state');
    await failure(() => list.refuse({ name: 'data', kind: 'disk' }), 'illegal_state');
    await list.set({ name: 'data', kind: 'disk' }, false);
    assert.equal(existsSync(path()), false);
  });

  describe('of a damaged list', () => {
    const [data, other] = [volume('data'), volume('other')];
    beforeEach(() => writeFile(path(), '{"schemaVersion":2,"volumes":[{"na'));

    it('takes every volume for protected, also after the next start, and names the file that it kept', async () => {
      await load();
      const list = await load();
      const kept = list.damaged ?? assert.fail('not said');
      assert.equal(await readFile(kept, 'utf8'), '{"schemaVersion":2,"volumes":[{"na');
      assert.equal(list.shown(data).protected, true);
      const error = await failure(() => list.refuse(data), 'illegal_state');
      assert.match(error.message, /^Volume data is not deleted: it may be protected, as the list/);
      assert.ok(
        error.hint?.includes('`berth volume unprotect data`') && error.hint.includes(kept),
        error.hint,
      );
    });

    it('lets go of what was unprotected since, for good, and of what is newer than it', async () => {
      const first = await load();
      first.refuse(other, Date.now() + 1);
      await failure(() => first.refuse(other, Date.now() - 60_000), 'illegal_state');
      await first.set(data, false);
      const second = await load();
      second.refuse(data);
      await failure(() => second.refuse(other), 'illegal_state');
      await second.set(data, true);
      await failure(async () => (await load()).refuse(data), 'illegal_state');
    });

    it('ends soon after the user has moved the damaged file away', async () => {
      const list = await load();
      await rename(list.damaged ?? '', join(folder(), 'mine'));
      await eventuallyKnown(list);
      list.refuse(data);
      assert.deepEqual([list.damaged, list.shown(data).protected], [undefined, undefined]);
    });

    it('that was mended and is back in its place counts as it is, and is not written over', async () => {
      const list = await load();
      const mended = { schemaVersion: 2, volumes: [{ name: data.name, store: 'docker' }] };
      await writeFile(list.damaged ?? '', JSON.stringify(mended));
      await rename(list.damaged ?? '', path());
      await failure(() => list.refuse(data), 'illegal_state');
      await eventuallyKnown(list);
      await failure(() => list.refuse(data), 'illegal_state');
      list.refuse(other);
      await list.set(other, true);
      const again = await load();
      for (const each of [data, other]) {
        await failure(() => again.refuse(each), 'illegal_state');
      }
    });

    /** Reading it again takes a moment, in which nothing is let go. */
    const eventuallyKnown = (list: ProtectedVolumes) =>
      until('it is read again', () => list.damaged === undefined, 5_000, 5);
  });
});
