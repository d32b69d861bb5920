import assert from 'node:assert/strict';
import { BerthError } from '../../../../src/api/errors';
import { failure } from '../../../support/errors';
import { useServer, type TestServer } from '../../../support/engine/server';

describe('server: the id of a session volume in place of its name', () => {
  const { start } = useServer();
  let test: TestServer;
  beforeEach(async () => {
    test = await start();
    test.driver.volumes.add('sandkasten-ws-user1', undefined, false);
  });

  const get = (volume: string) => test.client.call('volumes.get', { params: { volume } });

  it('is taken by the routes for volumes', async () => {
    assert.equal((await get('user1')).name, 'sandkasten-ws-user1');
    assert.equal((await get('sandkasten-ws-user1')).name, 'sandkasten-ws-user1', 'no prefix twice');
    await failure(get('user2'), 'not_found');
  });

  it('deletes nothing: its whole name does, and is named', async () => {
    const remove = (volume: string) =>
      test.client.call('volumes.delete', { params: { volume }, query: { force: true } });
    test.driver.volumes.add('user1');
    await remove('user1');
    const { message, hint } = await failure(remove('user1'), 'not_found');
    assert.equal(message, 'There is no volume user1.');
    assert.match(hint ?? '', /`berth volume delete sandkasten-ws-user1`/);
    assert.equal((await get('user1')).name, 'sandkasten-ws-user1');
    assert.doesNotMatch((await failure(remove('user2'), 'not_found')).hint ?? '', /sandkasten/);
    await remove('sandkasten-ws-user1');
    assert.deepEqual(
      test.payloads('volume.deleted').map((payload) => payload.name),
      ['user1', 'sandkasten-ws-user1'],
    );
  });

  it('is taken by files, and by both ends of a transfer; who watches hears of the name', async () => {
    await test.client.call('files.mkdir', { params: { volume: 'user1' }, body: { path: '/new' } });
    assert.equal(test.payloads('files.changed').at(-1)?.volume, 'sandkasten-ws-user1');
    await test.client.writeFile('user1', '/new/file', Buffer.from('text'), {
      create: true,
      overwrite: false,
    });
    const options = { query: { path: '/new/file' } };
    const entry = await test.client.call('files.stat', { params: { volume: 'user1' }, ...options });
    assert.equal(entry.size, 4);
    const transfer = await test.client.call('transfers.create', {
      body: { from: { volume: 'user1', paths: ['/new/file'] }, to: { volume: 'user1', path: '/' } },
      query: { wait: 9000 },
    });
    assert.equal(transfer.volume, 'sandkasten-ws-user1');
    const removal = await test.client.call('removals.create', {
      body: { volume: 'user1', paths: ['/new'] },
      query: { wait: 9000 },
    });
    assert.equal(removal.volume, 'sandkasten-ws-user1');
  });

  it('gives way to a volume of exactly that name, also one that was made later', async () => {
    assert.equal((await get('user1')).name, 'sandkasten-ws-user1');
    test.driver.volumes.add('user1');
    assert.equal((await get('user1')).name, 'user1');
  });

  it('leads no token to a volume that it does not reach', async () => {
    const test = await start({
      principalOf: () => ({ kind: 'token', id: 'ci', scope: 'manage', workspaces: ['demo'] }),
    });
    await test.create('demo', { volumes: ['data:/data'] });
    test.driver.volumes.known.delete('data');
    test.driver.volumes.add('sandkasten-ws-data');
    await failure(test.client.call('volumes.get', { params: { volume: 'data' } }), 'forbidden');
    const removal = test.client.call('volumes.delete', { params: { volume: 'data' }, query: {} });
    assert.doesNotMatch((await failure(removal, 'not_found')).hint ?? '', /sandkasten/);
  });

  it('is no reason for another error where the volumes can not be asked', async () => {
    test.driver.fail(
      'volumes.inspect',
      new BerthError('runtime_unavailable', 'No answer.'),
      new BerthError('runtime_unavailable', 'No answer.'),
    );
    assert.equal((await failure(get('user1'), 'runtime_unavailable')).message, 'No answer.');
  });
});
