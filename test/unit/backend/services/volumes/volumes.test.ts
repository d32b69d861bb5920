import assert from 'node:assert/strict';
import { BerthError } from '../../../../../src/api/errors';
import { AdoptedVolumes } from '../../../../../src/backend/store/adopted-volumes';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { until } from '../../../../support/wait';
import { formatVolume, formatVolumes } from '../../../../../src/cli/volumes';

describe('services/volumes/volumes', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo', { docker: true });
    test.driver.volumes.add('data');
    test.driver.volumes.add('theirs', undefined, false);
  });
  const volumes = () => test.services.volumes;

  it('lists all, sorted; measured only when asked', async () => {
    const plain = await volumes().list(false);
    assert.deepEqual(
      plain.map(({ name }) => name),
      ['data', 'theirs', 'workspace-demo', 'workspace-demo-docker'],
    );
    assert(plain.every(({ usedBytes }) => usedBytes === undefined));
    assert(!test.driver.calls.some((call) => call.startsWith('volumes.usage')));
    test.driver.fail('volumes.usage', new Error('no'));
    const measured = await volumes().list(true);
    assert.equal(
      measured.filter(({ usedBytes }) => usedBytes === 4096).length,
      3,
      'one could not be measured',
    );
    assert.equal((await volumes().get('data', true)).usedBytes, 4096);
  });

  it('says where the size is a lower bound, as some of it could not be read', async () => {
    assert.equal((await volumes().get('data', true)).usedIsAtLeast, undefined);
    test.driver.volumes.partlyRead.add('data');
    const volume = await volumes().get('data', true);
    assert.equal(volume.usedIsAtLeast, true);
    assert.match(formatVolume(volume, Date.now()), /at least 4\.0 KiB/);
    assert.match(formatVolumes([volume], Date.now()), /at least 4\.0 KiB/);
  });

  it('creates, tells of it, and refuses what is there', async () => {
    await volumes().create({ name: 'new', labels: { a: 'b' } });
    assert.equal(test.payloads('volume.changed').at(-1)?.name, 'new');
    assert.equal((await failure(volumes().create({ name: 'a' }), 'bad_request')).field, 'name');
    const error = await failure(volumes().create({ name: 'data' }), 'exists');
    assert.equal(error.message, 'There is a volume data already, made by Berth.');
    assert.equal(error.field, 'name');
    await failure(volumes().create({ name: 'disk', kind: 'disk' }), 'not_supported');
    const sized = await failure(volumes().create({ name: 'sized', sizeMiB: 64 }), 'not_supported');
    assert.match(sized.message, /kind "disk"/, 'what has a size is a disk');
  });

  it('takes one with a size for a disk', async () => {
    const error = await failure(volumes().create({ name: 'sized', sizeMiB: 64 }), 'not_supported');
    assert.match(error.message, /kind "disk"/);
  });

  it('deletes what nothing holds, and tells of it', async () => {
    assert.deepEqual(await volumes().delete('data', false), { deleted: true });
    assert.deepEqual(test.payloads('volume.deleted'), [{ name: 'data' }]);
    await failure(volumes().delete('data', false), 'not_found');
  });

  it('deletes no volume of a workspace, forced or not, whatever its state', async () => {
    await test.done(test.services.verbs.archive('demo'));
    for (const name of ['workspace-demo', 'workspace-demo-docker']) {
      const error = await failure(volumes().delete(name, true), 'in_use');
      assert.equal(error.message, `Volume ${name} belongs to workspace demo.`);
      assert.match(error.hint ?? '', /berth delete demo/);
    }
  });

  it('shows and guards a shared folder by all workspaces that were built with it, and gives each the folder', async () => {
    const folder = { ...test.driver.volumes.add('shared'), kind: 'directory' as const, path: '/v/shared' };
    test.driver.volumes.known.set('shared', folder);
    await test.create('one', { volumes: ['shared:/data:ro'] });
    await test.create('two', { volumes: ['shared:/data', 'data:/x'], start: false });
    assert.deepEqual(
      (await volumes().get('shared', false)).holders.map(({ workspace, state, readOnly }) => [
        workspace,
        state,
        readOnly,
      ]),
      [
        ['one', 'running', true],
        ['two', 'stopped', false],
      ],
    );
    assert.deepEqual(
      test.driver.plans.get('workspace-two')?.mounts.map((mount) => mount.folder),
      ['/v/shared', undefined],
    );
    await failure(volumes().delete('shared', true), 'in_use');
    for (const name of ['one', 'two']) {
      await test.done(test.services.verbs.delete(name));
    }
    assert.deepEqual((await volumes().get('shared', false)).holders, []);
    assert.deepEqual(await volumes().delete('shared', false), { deleted: true });
  });

  it('lets no workspace be made with a volume that its kind of runtime can not mount', async () => {
    test.driver.volumes.known.set('disk', { ...test.driver.volumes.add('disk'), kind: 'disk' });
    const { field, message } = await failure(
      test.services.creator.create({ name: 'one', volumes: ['data:/a', 'disk:/b'] }),
      'not_supported',
    );
    assert.equal(field, 'volumes.1');
    assert.match(message, /container can't mount disk, a volume of the kind "disk"/);
    await failure(() => test.services.workspaces.get('one'), 'not_found');
  });

  it('deletes nothing that is held, by whom is said; an unknown holder counts', async () => {
    test.driver.volumes.heldBy(
      'data',
      { runtime: 'workspace-a', workspace: 'a', state: 'running', readOnly: false },
      { runtime: 'mysql', state: 'unknown', readOnly: true },
    );
    const error = await failure(volumes().delete('data', true), 'in_use');
    assert.equal(
      error.message,
      'The volume data is in use by the workspace a (running), the container mysql of another tool (unknown).',
    );
    assert.equal(error.hint, 'Delete the workspace first: `berth delete a`.');
    assert(test.driver.volumes.names.includes('data'));
  });

  it('says of which tool or installation it is what has a volume', async () => {
    const holder = { runtime: 'mysql', state: 'stopped' as const, readOnly: false };
    test.driver.volumes.heldBy('data', holder);
    const tool = await failure(volumes().delete('data', true), 'in_use');
    assert.match(tool.message, /in use by the container mysql of another tool \(stopped\)/);
    assert.match(tool.hint ?? '', /`docker rm mysql`/);
    const owner = { installation: '1b2c', home: '/home/me/.berth' };
    test.driver.volumes.heldBy('data', { ...holder, runtime: 'workspace-y', owner });
    const other = await failure(volumes().delete('data', true), 'in_use');
    assert.match(
      other.message,
      /the container workspace-y of another installation of Berth \(\/home\/me\/\.berth, 1b2c\) \(stopped\)/,
    );
    assert.match(other.hint ?? '', /from there/);
  });

  it('forgets what it had taken over with its delete: another one of that name is nobody it knows', async () => {
    test.driver.volumes.known.set('old', {
      ...test.driver.volumes.add('old', undefined, false),
      id: undefined,
    });
    const isListed = async (): Promise<boolean> => {
      const adopted = new AdoptedVolumes(test.state.adopted);
      await adopted.load();
      return adopted.lists('old');
    };
    await volumes().adopt('old', false);
    assert.equal(await isListed(), true);
    await volumes().delete('old', false);
    assert.equal(await isListed(), false);
  });

  it('deletes what another tool made only with consent', async () => {
    const error = await failure(volumes().delete('theirs', false), 'forbidden');
    assert.match(error.hint ?? '', /--force/);
    assert.deepEqual(await volumes().delete('theirs', true), { deleted: true });
  });

  it('resizes, and tells of it', async () => {
    assert.equal((await volumes().resize('data', 10)).sizeMiB, 10);
    assert.equal(test.payloads('volume.changed').at(-1)?.sizeMiB, 10);
    await failure(volumes().resize('none', 10), 'not_found');
  });

  it('publishes what is changed in a volume, whoever changes it', async () => {
    const files = await volumes().files('data');
    await files.mkdir('/a/b', { parents: true });
    await files.write('/a/f', Buffer.from('x'), { create: true, overwrite: false });
    await files.rename('/a/f', '/a/g', { overwrite: false });
    await files.remove('/a/g', { recursive: false });
    await test.create('w', { start: false });
    test.driver.volumes.add('root of workspace-w');
    await (await volumes().files('rootfs@w')).mkdir('/opt');
    const published = test
      .payloads('files.changed')
      .map(({ volume, changes }) =>
        [volume, ...changes.map(({ type, path }) => `${type} ${path}`)].join(' '),
      );
    assert.deepEqual(published, [
      'data created /a created /a/b',
      'data changed /a/f',
      'data deleted /a/f created /a/g',
      'data deleted /a/g',
      'rootfs@w created /opt',
    ]);
  });

  it('says that the daemon is gone', async () => {
    test.driver.down = true;
    await failure(volumes().list(false), 'runtime_unavailable');
    await failure(volumes().get('data', false), 'runtime_unavailable');
  });
});

describe('services/engine/driver-events', () => {
  const { start } = useEngine();

  it('tells of volumes that others make, remove and hold, once for many events', async () => {
    const test = await start();
    test.driver.volumes.add('data');
    for (let count = 0; count < 10; count += 1) {
      test.driver.emit({ type: 'volume', name: 'data', what: 'attached' });
    }
    await until('it is told', () => test.payloads('volume.changed').length > 0);
    assert.equal(test.payloads('volume.changed').length, 1);
    test.driver.volumes.known.clear();
    test.driver.emit({ type: 'volume', name: 'data', what: 'removed' });
    await until('it is told', () => test.payloads('volume.deleted').length === 1);
  });

  it('tells of the volumes of a runtime that changed', async () => {
    const test = await start();
    test.driver.volumes.add('data');
    test.driver.addForeign('mysql', ['data']);
    test.driver.emit({ type: 'runtime', name: 'mysql', workspace: undefined, what: 'started' });
    await until('it is told', () => test.payloads('volume.changed').some(({ name }) => name === 'data'));
  });

  it('tells when a driver comes and goes, also when it fails to say', async () => {
    const test = await start();
    test.driver.fail('status', new BerthError('runtime_unavailable', 'gone', { hint: 'Start Docker.' }));
    test.driver.emit({ type: 'connection', up: false });
    await until('it is told', () => test.payloads('driver.changed').length === 1);
    test.driver.emit({ type: 'connection', up: true });
    await until('it is told', () => test.payloads('driver.changed').length === 2);
    const { features } = test.driver;
    assert.deepEqual(test.payloads('driver.changed'), [
      { runtime: 'container', features, available: false, message: 'gone', hint: 'Start Docker.' },
      { runtime: 'container', features, available: true, product: 'Fake 1' },
    ]);
  });

  it('is quiet after the engine closed', async () => {
    const test = await start();
    test.driver.volumes.add('data');
    test.driver.emit({ type: 'volume', name: 'data', what: 'attached' });
    await test.engine.close();
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.deepEqual(test.payloads('volume.changed'), []);
  });
});
