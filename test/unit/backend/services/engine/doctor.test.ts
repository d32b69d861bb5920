import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../../../../src/api/engine/schemas';
import { statusOf } from '../../../../../src/backend/services/engine/drivers';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { useTempFolder } from '../../../../support/temp';
import { failure } from '../../../../support/errors';
import { FakeDriver } from '../../../../support/fakes/fake-driver';

describe('services/engine/doctor', () => {
  const { start } = useEngine();
  const configs = useTempFolder();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  const check = async (name: string): Promise<Check> => {
    const { checks } = await test.services.doctor.report();
    return checks.find((candidate) => candidate.name === name) ?? assert.fail(`no check ${name}`);
  };

  it('finds nothing wrong on a good machine, with the real ssh client', async () => {
    const config = join(configs(), 'config');
    await test.services.sshAccess.include(config);
    const report = await test.services.doctor.report(config);
    assert.deepEqual(
      report.checks.filter(({ outcome, name }) => outcome !== 'ok' && name !== 'space'),
      [],
    );
    assert.equal(report.ok, true);
    assert.match((await check('ssh')).message, /OpenSSH/);
    assert.match((await check('space')).message, /GiB free in /);
  });

  it('says that the daemon is gone, and skips what needs it', async () => {
    test.driver.down = true;
    const report = await test.services.doctor.report();
    assert.equal(report.ok, false);
    assert.equal((await check('runtime.container')).outcome, 'failed');
    assert.equal((await check('image')).outcome, 'skipped');
    assert.equal((await check('orphans')).outcome, 'skipped');
  });

  it('names the remedy for a missing image', async () => {
    test.driver.images.known.clear();
    assert.deepEqual(await check('image'), {
      ...{ name: 'image', title: 'Default image', outcome: 'warning' },
      ...{ message: 'workspace:latest is not on this machine.', hint: 'Build it: `berth image build`.' },
      remedies: ['build-image', 'choose-image'],
    });
  });

  it('says which machine it looked at, and whose disk it measured', async () => {
    test.driver.isElsewhere = true;
    assert.match((await check('runtime.container')).message, /, on box$/);
    assert.match((await check('space')).message, /on this machine; the disk of box, .* was not measured$/);
    test.driver.images.known.clear();
    assert.equal((await check('image')).message, 'workspace:latest is not on box.');
  });

  it('has drivers try again what did not work, which nobody else who looks does', async () => {
    const status = test.driver.status.bind(test.driver);
    const looks: unknown[] = [];
    test.driver.status = (look?: { afresh: boolean }) => {
      looks.push(look?.afresh);
      return status();
    };
    await statusOf(test.driver);
    await check('runtime.container');
    assert.deepEqual(looks, [false, true]);
  });

  it('says what a runtime does less well than it could, and what to do, without calling it wrong', async () => {
    test.driver.remark = { message: 'emulated: this user may not open /dev/kvm', hint: 'Join the group.' };
    const { outcome, message, hint } = await check('runtime.container');
    assert.deepEqual(
      [outcome, message, hint],
      ['ok', 'Fake 1, emulated: this user may not open /dev/kvm', 'Join the group.'],
    );
  });

  it('names what runs the guests of microVMs, and passes on what can be done', async () => {
    test.driver.remark = { acceleration: 'kvm', remedies: ['prepare-guest-kit'] };
    const { message, remedies } = await check('runtime.container');
    assert.equal(message, 'Fake 1, accelerated by KVM');
    assert.deepEqual(remedies, ['prepare-guest-kit']);
  });

  it('looks at the ssh config that it is asked for: it says what is not set up yet, and what ssh does not take', async () => {
    const config = join(configs(), 'config');
    const found = async () => {
      const { checks } = await test.services.doctor.report(config);
      return checks.find(({ name }) => name === 'ssh.config') ?? assert.fail('no check');
    };
    const missing = await found();
    assert.deepEqual([missing.outcome, missing.remedies], ['skipped', ['include-ssh-config']]);
    await test.services.sshAccess.include(config);
    assert.deepEqual(await found(), {
      ...{ name: 'ssh.config', title: 'SSH config', outcome: 'ok' },
      message: `${config} includes the workspaces.`,
    });
    await appendFile(config, '\nNoSuchOption yes\n');
    const broken = await found();
    assert.deepEqual([broken.outcome, broken.remedies], ['warning', ['open-ssh-config']]);
  });

  it('says when the ports are used up', async () => {
    await test.services.settings.change({ portRange: { first: 29_000, last: 29_000 } });
    await test.create('demo');
    const { outcome, message, hint, remedies } = await check('ports');
    assert.equal(outcome, 'failed');
    assert.equal(message, '1 of 1 in 29000-29000 reserved');
    assert.match(hint ?? '', /widen the range/);
    assert.deepEqual(remedies, ['widen-port-range']);
    const error = (await failure(test.services.creator.create({ name: 'more' }), 'capacity')).message;
    assert.equal(error, 'No available port in range 29000-29000.');
  });

  it('reports leftovers and touches none of them', async () => {
    await test.create('demo');
    test.driver.addForeign('workspace-lost', ['workspace-lost'], 'lost');
    test.driver.addForeign('mysql');
    test.driver.volumes.add('workspace-lost');
    test.driver.volumes.add('data');
    const orphans = await test.services.doctor.orphans();
    assert.deepEqual(
      orphans.map(({ kind, name }) => `${kind} ${name}`),
      ['container workspace-lost', 'volume workspace-lost'],
    );
    assert.equal((await check('orphans')).outcome, 'warning');
    assert.equal(test.driver.runtimes.size, 3);
    assert.equal(test.driver.volumes.names.length, 3);
  });

  it('calls nothing of another installation a leftover that may be deleted', async () => {
    const owner = { installation: 'theirs', home: '/theirs' };
    test.driver.addForeign('workspace-x', ['workspace-x'], 'x');
    const theirs = test.driver.runtimes.get('workspace-x');
    assert.ok(theirs);
    test.driver.runtimes.set('workspace-x', { ...theirs, owner });
    const { outcome, message, hint } = await check('orphans');
    assert.equal(outcome, 'ok');
    assert.match(message, /^none; 1 of other installations/);
    assert.equal(hint, undefined);
    assert.deepEqual((await test.services.doctor.orphans())[0]?.owner, owner);
  });

  it('waits for no driver that hangs', async () => {
    const driver = new FakeDriver();
    driver.hold('status');
    assert.deepEqual(await statusOf(driver, { timeoutMs: 20 }), {
      ...{ runtime: 'container', available: false, message: 'It did not answer within 0.02 s.' },
      features: driver.features,
    });
    driver.fail('status', new Error('bang'));
    assert.equal((await statusOf(driver)).message, 'bang');
  });
});

describe('services/engine/engine-description', () => {
  const { start, home } = useEngine();

  it('tells what the engine is, with clients and operations counted', async () => {
    const test = await start();
    const stop = test.services.events.subscribe(() => undefined);
    const info = await test.services.description.info();
    assert.equal(info.version, '1.0.0');
    assert.equal(info.pid, process.pid);
    assert.equal(info.home, home());
    assert.equal(info.clients, 1, 'its own observers are no clients');
    assert.equal(info.operations, 0);
    const { features } = test.driver;
    assert.deepEqual(info.drivers, [{ runtime: 'container', available: true, product: 'Fake 1', features }]);
    assert(info.rssBytes > 1_000_000);
    stop();
    test.driver.down = true;
    assert.equal((await test.services.description.info()).drivers[0]?.available, false);
  });
});

describe('services/images/images', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  it('lists images with the workspaces that use them', async () => {
    await test.create('demo');
    test.driver.images.known.set('debian:12', 'sha256:d');
    const used = (await test.services.images.list()).map(({ tags, usedBy }) => [tags[0], usedBy]);
    assert.deepEqual(used, [
      ['workspace:latest', ['demo']],
      ['debian:12', []],
    ]);
  });

  it('builds once for all that ask at once; another build is refused meanwhile', async () => {
    const options = { noCache: false, toolsOnly: false };
    const gate = test.driver.hold('build');
    const first = test.services.images.build(options);
    assert.equal(test.services.images.build(options).id, first.id);
    const error = await failure(() => test.services.images.build({ ...options, toolsOnly: true }), 'in_use');
    assert.match(error.message, /Build workspace:latest/);
    gate.open();
    const ended = await test.done(first);
    assert.equal(ended.status, 'succeeded');
    assert.equal(ended.progress?.current, 'Step 1');
    assert.equal(test.driver.images.built.length, 1);
  });

  it('pulls with progress, is cancelled, and refuses what is no image', async () => {
    assert.equal((await test.done(test.services.images.pull('debian:12'))).status, 'succeeded');
    const gate = test.driver.hold('pull');
    const operation = test.services.images.pull('busybox');
    await gate.entered;
    test.services.operations.cancel(operation.id);
    assert.equal((await test.done(operation)).status, 'cancelled');
    assert(!test.driver.images.known.has('busybox'));
    for (const bad of ['-x', 'a b', '', 'a;b']) {
      assert.equal((await failure(() => test.services.images.pull(bad), 'bad_request')).field, 'image');
    }
  });
});
