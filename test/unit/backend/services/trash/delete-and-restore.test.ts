import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../../../../src/api/errors';
import type { TrashRecord } from '../../../../../src/backend/store/trash-records';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { FakeDriver } from '../../../../support/fakes/fake-driver';
import { FakeSnapshots } from '../../../../support/fakes/fake-snapshots';
import { until } from '../../../../support/wait';

describe('backend/services/trash: delete and restore', () => {
  const { start } = useEngine();
  let test: TestEngine;
  let contents: Map<string, string>;
  let stored: FakeSnapshots;
  let disks: Set<string>;

  const begin = async (driver = new FakeDriver()): Promise<void> => {
    driver.features = { ...driver.features, volumeKinds: ['docker', 'disk'] };
    Object.assign(driver.volumes, { snapshots: stored });
    test = await start({ trashDays: 7 }, driver);
    await until('all is looked at', () => test.services.operations.runningCount === 0);
  };
  beforeEach(async () => {
    [contents, disks] = [new Map<string, string>(), new Set<string>()];
    const act = (verb: string, of: string): Promise<void> => test.driver['act'](verb, of);
    stored = new FakeSnapshots(act, contents, (volume) => (disks.has(volume) ? 'disk' : 'docker'));
    await begin();
    await test.create('demo', { docker: true });
    contents.set('workspace-demo', 'all of the work');
  });

  const verbs = () => test.services.verbs;
  const restoring = () => test.services.restoring;
  const registry = () => test.services.workspaces['deps'].registry;
  const items = () => test.services.bin.list();
  const trashed = async (): Promise<string> => {
    const { status, result } = await test.done(verbs().delete('demo'));
    assert.equal(status, 'succeeded');
    return (result as { trash: string }).trash;
  };
  const itemFile = (id: string): string => join(test.state.trash, `${id}.json`);
  const rewrite = async (path: string, patch: object): Promise<void> =>
    writeFile(path, JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), ...patch }));
  /** The engine was killed: the next one finds what is there, and what `meanwhile` makes of it. */
  const killed = async (meanwhile: () => Promise<void> | void = () => undefined): Promise<void> => {
    await test.engine.close();
    await meanwhile();
    await begin(test.driver);
  };

  it('brings back what was deleted, under its name', async () => {
    const id = await trashed();
    contents.delete('workspace-demo');
    assert.equal((await test.done(restoring().restore(id))).status, 'succeeded');
    assert.equal(contents.get('workspace-demo'), 'all of the work');
    assert.deepEqual([items(), stored.known.size], [[], 0]);
    assert.equal(registry().get('demo').fromTrash, undefined);
  });

  it('loses nothing where the engine is killed while the files are kept, whatever was noted meanwhile', async () => {
    const gate = test.driver.hold('snapshots.create');
    const deletion = verbs().delete('demo');
    await gate.entered;
    await test.services.access.touch('demo');
    const record = await readFile(test.state.workspaceRecord('demo'), 'utf8');
    assert.equal((JSON.parse(record) as { state: string }).state, 'deleting');
    gate.open();
    await test.done(deletion);
    await test.create('demo', { docker: true });
    contents.set('workspace-demo', 'all of the work');
    await killed(() => writeFile(test.state.workspaceRecord('demo'), record));
    assert.ok(test.driver.volumes.names.includes('workspace-demo'));
    assert.notEqual(registry().get('demo').state, 'deleting');
  });

  it('has what is gone in the first item when a delete that failed half-way is done again', async () => {
    const remove = test.driver.volumes.remove.bind(test.driver.volumes);
    test.driver.volumes.remove = async (name) => {
      if (name === 'workspace-demo-docker') throw new BerthError('in_use', 'somebody has it');
      await remove(name);
    };
    assert.equal((await test.done(verbs().delete('demo'))).status, 'failed');
    assert.equal(registry().get('demo').state, 'error');
    assert.ok(!test.driver.volumes.names.includes('workspace-demo'), 'the home is gone');
    contents.delete('workspace-demo');
    test.driver.volumes.remove = remove;
    const id = await trashed();
    assert.deepEqual(
      items().map((item) => item.id),
      [id],
    );
    await test.done(restoring().restore(id));
    assert.equal(contents.get('workspace-demo'), 'all of the work');
  });

  it('keeps anew what can have changed since a delete failed before it had removed any files', async () => {
    test.driver.fail('volumes.remove', new BerthError('in_use', 'somebody has it'));
    await test.done(verbs().delete('demo'));
    await test.done(verbs().recover('demo'));
    assert.equal(registry().get('demo').toTrash, undefined);
    contents.set('workspace-demo', 'more work');
    const id = await trashed();
    contents.delete('workspace-demo');
    await test.done(restoring().restore(id));
    assert.equal(contents.get('workspace-demo'), 'more work');
  });

  it('says what was not there to be kept', async () => {
    await test.done(verbs().stop('demo'));
    test.driver.volumes.known.delete('workspace-demo');
    await trashed();
    assert.match((items()[0]?.notKept ?? []).join(' '), /workspace-demo: there was no such volume/);
  });

  it('fills the disk of the Docker inside as well, and keeps an item of which something has no place', async () => {
    const docker = 'workspace-demo-docker';
    const asDisk = (name: string): void => {
      disks.add(name);
      test.driver.volumes.known.set(name, { ...test.driver.volumes.add(name), kind: 'disk' });
    };
    asDisk(docker);
    contents.set(docker, 'volumes of Compose');
    const id = await trashed();
    assert.equal(items()[0]?.volumes.length, 2);
    contents.clear();
    await test.done(restoring().restore(id, 'again'));
    assert.equal(contents.get('workspace-again-docker'), 'volumes of Compose');
    assert.deepEqual(items(), []);

    await test.create('demo', { docker: true });
    asDisk(docker);
    const other = await trashed();
    const { volumes } = test.services.bin.get(other);
    const [first] = volumes;
    assert.ok(first);
    await test.services.bin.update(other, { volumes: [...volumes, { ...first, volume: 'nowhere' }] });
    const { status, warnings } = await test.done(restoring().restore(other));
    assert.equal(status, 'succeeded');
    assert.match(warnings.join(' '), /still in the trash: nowhere/);
    assert.equal(items().length, 1);
    assert.equal(test.services.bin.get(other).restoring, undefined);
  });

  it('keeps the image that an item needs, and restores without it where it is gone all the same', async () => {
    const id = await trashed();
    const { image = '' } = test.services.bin.get(id);
    assert.match(image, /^berth-trash\/demo:/);
    await failure(() => test.services.images.remove(image), 'in_use');
    const used = (await test.services.images.list()).find(({ tags }) => tags.includes(image));
    assert.deepEqual(used?.usedBy, ['(trash)']);
    test.driver.images.known.delete(image);
    const { status, warnings } = await test.done(restoring().restore(id));
    assert.equal(status, 'succeeded');
    assert.match(warnings.join(' '), /outside of its volumes: the image berth-trash.* not there any more/);
    assert.equal(contents.get('workspace-demo'), 'all of the work');
    assert.match(warnings.join(' '), /still in the trash: what it had outside of its volumes/);
    assert.deepEqual([items().length, test.services.bin.get(id).restoring], [1, undefined]);
  });

  it('restores the files of volumes where nothing can be made of the image, which stays in the trash', async () => {
    const id = await trashed();
    const { image = '' } = test.services.bin.get(id);
    const damaged = new BerthError('illegal_state', 'Its journal could not be replayed.');
    let error: BerthError | undefined = new BerthError('no_space', 'The disk is full.');
    const prepare = (name: string) =>
      name === image && error !== undefined ? Promise.reject(error) : Promise.resolve([]);
    Object.assign(test.driver.images, { prepare });
    const full = await test.done(restoring().restore(id));
    assert.deepEqual([full.error?.code, registry().find('demo')], ['no_space', undefined]);

    error = damaged;
    contents.delete('workspace-demo');
    // The same where an engine that was killed has not noted its end.
    const update = test.services.bin.update.bind(test.services.bin);
    let noted = '';
    test.services.bin.update = async (...args) => {
      const made = await update(...args);
      noted = made.restoring?.withoutImage === true ? await readFile(itemFile(id), 'utf8') : noted;
      return made;
    };
    const { status, warnings } = await test.done(restoring().restore(id));
    assert.equal(status, 'succeeded');
    assert.match(warnings.join(' '), /outside of its volumes: Its journal could not be replayed/);
    assert.equal(contents.get('workspace-demo'), 'all of the work');
    assert.equal(registry().get('demo').spec.image, 'workspace:latest');
    assert(test.driver.images.known.has(image));
    await killed(async () => {
      await writeFile(itemFile(id), noted);
      await rewrite(test.state.workspaceRecord('demo'), { fromTrash: id });
    });
    await until('it to be settled', () => test.services.bin.get(id).restoring === undefined);
    assert.equal(items().length, 1);

    error = undefined;
    const again = await test.done(restoring().restore(id, 'again'));
    assert.equal(again.status, 'succeeded');
    assert.deepEqual([registry().get('again').spec.image, items()], [image, []]);
  });

  it('never takes back what was restored whole, though the trash could not be tidied up', async () => {
    const id = await trashed();
    test.driver.fail('snapshots.remove', new Error('no answer'));
    const { status, warnings } = await test.done(restoring().restore(id));
    assert.equal(status, 'succeeded');
    assert.match(warnings.join(' '), /not removed yet/);
    assert.deepEqual(items(), [], 'it is no item any more');
    contents.set('workspace-demo', 'used since');
    const going = JSON.parse(await readFile(itemFile(id), 'utf8')) as TrashRecord;
    assert.equal(going.state, 'going');
    await killed();
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo', 'workspace-demo-docker']);
  });

  it('finishes a restore whose end an older engine, or one that was killed, has not noted', async () => {
    const id = await trashed();
    const item = await readFile(itemFile(id), 'utf8');
    await test.done(restoring().restore(id));
    await killed(async () => {
      await writeFile(itemFile(id), item);
      await rewrite(itemFile(id), { restoring: { name: 'demo' } });
      await rewrite(test.state.workspaceRecord('demo'), { fromTrash: id });
    });
    await until('the item to go', () => items().length === 0);
    assert.equal(registry().get('demo').state, 'stopped');
    assert.ok(test.driver.volumes.names.includes('workspace-demo'));
  });

  it('takes back what was restored in part', async () => {
    const id = await trashed();
    await test.done(restoring().restore(id, 'part'));
    await test.create('demo', {});
    const again = await trashed();
    await killed(async () => {
      await rewrite(itemFile(again), { restoring: { name: 'part' } });
      await rewrite(test.state.workspaceRecord('part'), { fromTrash: again, isUnfilled: true });
    });
    await until('it to be taken back', () => registry().find('part') === undefined);
    assert.equal(items().length, 1);
  });

  describe('of a volume', () => {
    let id: string;
    beforeEach(async () => {
      test.driver.volumes.add('My_data.1');
      contents.set('My_data.1', 'rows');
      ({ trash: id = '' } = await test.services.trash.volume('My_data.1', false, false));
      contents.delete('My_data.1');
    });

    it('brings it back, whatever its name is', async () => {
      const gate = test.driver.hold('snapshots.restore');
      const restore = restoring().restore(id);
      await gate.entered;
      const item = await readFile(itemFile(id), 'utf8');
      gate.open();
      await test.done(restore);
      assert.equal(contents.get('My_data.1'), 'rows');
      // As it was in the middle of it, it can be read.
      await killed(() => writeFile(itemFile(id), item));
      assert.equal(items().length, 1);
    });

    it('takes back the volume that it has made, and no other one of that name', async () => {
      for (const isOther of [false, true]) {
        test.driver.fail('snapshots.restore', new Error('Docker has ended'));
        test.driver.fail('volumes.remove', new Error('Docker has ended'));
        assert.equal((await test.done(restoring().restore(id))).status, 'failed');
        if (isOther) {
          test.driver.volumes.known.delete('My_data.1');
          test.driver.volumes.add('My_data.1');
        }
        await killed();
        await until('it to be settled', () => test.services.bin.get(id).restoring === undefined);
        assert.equal(test.driver.volumes.names.includes('My_data.1'), isOther);
        test.driver.volumes.known.delete('My_data.1');
      }
    });

    it('leaves one that somebody has made meanwhile, or protects by now', async () => {
      test.driver.fail('volumes.create', new BerthError('exists', 'There is one.'));
      const gate = test.driver.hold('volumes.create');
      const restore = restoring().restore(id);
      await gate.entered;
      test.driver.volumes.add('My_data.1');
      gate.open();
      assert.equal((await test.done(restore)).error?.code, 'exists');
      assert.ok(test.driver.volumes.names.includes('My_data.1'));
      assert.equal(test.services.bin.get(id).restoring, undefined);
      test.driver.volumes.known.delete('My_data.1');

      const filling = test.driver.hold('snapshots.restore');
      test.driver.fail('snapshots.restore', new Error('no'));
      const second = restoring().restore(id);
      await filling.entered;
      await test.services.volumes.update('My_data.1', { protected: true });
      filling.open();
      assert.equal((await test.done(second)).status, 'failed');
      assert.ok(test.driver.volumes.names.includes('My_data.1'));
    });

    it('restores one of two items of a name at a time', async () => {
      test.driver.volumes.add('My_data.1');
      const { trash: other = '' } = await test.services.trash.volume('My_data.1', false, false);
      const gate = test.driver.hold('snapshots.restore');
      const first = restoring().restore(id);
      await gate.entered;
      const second = restoring().restore(other);
      gate.open();
      assert.equal((await test.done(first)).status, 'succeeded');
      assert.equal((await test.done(second)).error?.code, 'exists');
      assert.equal(contents.get('My_data.1'), 'rows');
      await failure(() => test.services.bin.get(id), 'not_found');
    });
  });
});
