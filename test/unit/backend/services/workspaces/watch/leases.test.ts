import assert from 'node:assert/strict';
import { leaseGraceMs } from '../../../../../../src/backend/services/workspaces/watch/leases';
import type { StartOptions, TestEngine } from '../../../../../support/engine/engine';
import { useEngine } from '../../../../../support/engine/engine';
import { failure } from '../../../../../support/errors';
import { FakeClock } from '../../../../../support/fakes/fake-clock';
import type { FakeDriver } from '../../../../../support/fakes/fake-driver';
import { useServer } from '../../../../../support/engine/server';
import { until } from '../../../../../support/wait';
import { holdLease } from '../../../../../../src/client/lease';

describe('services/workspaces/watch/leases', () => {
  const { start } = useEngine();
  let clock: FakeClock;
  beforeEach(() => (clock = new FakeClock()));

  const names = (test: TestEngine) => test.services.workspaces.list().map(({ name }) => name);

  /** An engine that clients can ask. */
  async function listening(options: StartOptions = {}, driver?: FakeDriver): Promise<TestEngine> {
    const test = await start({ clock, ...options }, driver);
    test.services.leases.listen();
    return test;
  }

  it('deletes a temporary workspace with its volumes some seconds after its client is gone', async () => {
    const test = await listening();
    await test.create('kept');
    await test.create('brief', { temporary: true, docker: true, volumes: ['data:/data'] });
    test.driver.volumes.add('data');
    const release = test.services.leases.hold('brief');
    await clock.pass(leaseGraceMs * 10);
    assert.deepEqual(names(test), ['brief', 'kept'], 'held');
    release();
    await clock.pass(leaseGraceMs - 1);
    assert.deepEqual(names(test), ['brief', 'kept'], 'within its grace');
    assert.equal(test.services.leases.isWaiting, true);
    await clock.pass(1);
    assert.deepEqual(names(test), ['kept']);
    assert.deepEqual(test.driver.volumes.names, ['data', 'workspace-kept']);
    assert.equal(test.services.leases.isWaiting, false);
    await clock.pass(leaseGraceMs * 1000);
    assert.deepEqual(names(test), ['kept']);
  });

  it('keeps what was told to stay, when its client has gone as well', async () => {
    const test = await listening();
    await test.create('brief', { temporary: true });
    const release = test.services.leases.hold('brief');
    const { temporary } = await test.services.workspaces.update('brief', { temporary: false });
    assert.equal(temporary, undefined);
    release();
    await clock.pass(leaseGraceMs * 10);
    assert.deepEqual(names(test), ['brief']);
    assert.equal((await test.services.workspaces.update('brief', { label: 'Mine' })).label, 'Mine');
  });

  it('keeps it for a client that comes back in time, and as long as one of them is there', async () => {
    const test = await listening();
    await test.create('brief', { temporary: true });
    const first = test.services.leases.hold('brief');
    first();
    await clock.pass(leaseGraceMs - 1);
    const releases = [test.services.leases.hold('brief'), test.services.leases.hold('brief')];
    releases[0]!();
    await clock.pass(leaseGraceMs * 2);
    assert.deepEqual(names(test), ['brief']);
    releases[1]!();
    await clock.pass(leaseGraceMs);
    assert.deepEqual(names(test), []);
  });

  it('also when its client was gone before it held anything, in the middle of the create', async () => {
    const test = await listening();
    const gate = test.driver.hold('start');
    const creation = await test.services.creator.create({ name: 'brief', temporary: true });
    await gate.entered;
    const passed = clock.pass(leaseGraceMs);
    gate.open();
    await passed;
    assert.equal(test.services.operations.get(creation.id).status, 'cancelled');
    assert.deepEqual(names(test), []);
    assert.deepEqual(test.driver.volumes.names, []);
  });

  it('gives clients of an earlier engine time to come back, once they can', async () => {
    const before = await listening();
    await before.create('brief', { temporary: true });
    await before.create('held', { temporary: true });
    await before.create('kept');
    await before.engine.close();
    const test = await start({ clock }, before.driver);
    await clock.pass(leaseGraceMs * 10);
    assert.equal(names(test).length, 3, 'nobody could have come back');
    test.services.leases.listen();
    await clock.pass(leaseGraceMs - 1);
    assert.equal(names(test).length, 3);
    test.services.leases.hold('held');
    await clock.pass(1);
    assert.deepEqual(names(test), ['held', 'kept']);
  });

  it('tries a delete that failed again, later each time', async () => {
    const test = await listening();
    await test.create('brief', { temporary: true });
    test.driver.down = true;
    await clock.pass(leaseGraceMs);
    assert.deepEqual(names(test), ['brief']);
    test.driver.down = false;
    await clock.pass(leaseGraceMs * 2 - 1);
    assert.deepEqual(names(test), ['brief']);
    await clock.pass(1);
    assert.deepEqual(names(test), []);
  });

  it('has nothing left of one that was deleted: the next of that name is another', async () => {
    const test = await listening();
    await test.create('brief', { temporary: true });
    const release = test.services.leases.hold('brief');
    release();
    await clock.pass(leaseGraceMs - 1);
    await test.done(test.services.verbs.delete('brief'));
    await test.create('brief');
    release();
    await clock.pass(leaseGraceMs * 10);
    assert.deepEqual(names(test), ['brief']);
  });

  it('refuses to change one, and to make one of what is there', async () => {
    const test = await listening();
    await test.create('brief', { temporary: true });
    const error = await failure(
      () => test.services.workspaces.update('brief', { label: 'mine' }),
      'illegal_state',
    );
    assert.match(error.message, /brief is temporary/);
    test.driver.volumes.add('workspace-old');
    await failure(() => test.services.creator.create({ name: 'old', temporary: true }), 'exists');
    assert(test.driver.volumes.names.includes('workspace-old'));
  });
});

describe('server/lease-route', () => {
  const servers = useServer();

  it('holds for as long as the connection of the client is open; refuses what stays', async () => {
    const clock = new FakeClock();
    const test = await servers.start({ clock });
    await test.create('brief', { temporary: true });
    await test.create('kept');
    const { leases, workspaces } = test.services;
    assert.equal(leases.isWaiting, true, 'listens, and nobody holds it');
    const lease = holdLease(test.client, 'brief');
    await until('it is held', () => !leases.isWaiting);
    await clock.pass(leaseGraceMs * 2);
    assert.equal(workspaces.get('brief').temporary, true);
    lease.dispose();
    await until('it is let go', () => leases.isWaiting);
    await clock.pass(leaseGraceMs);
    await failure(() => workspaces.get('brief'), 'not_found');
    const open = (name: string) =>
      test.client.transport.open({ method: 'GET', path: `/v1/workspaces/${name}/lease` });
    await failure(() => open('kept'), 'bad_request');
    await failure(() => open('brief'), 'not_found');
  });
});
