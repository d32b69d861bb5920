import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { BerthError } from '../../../../../../src/api/errors';
import { imageMissing } from '../../../../../../src/api/rules/image-reference';
import { useEngine, type TestEngine } from '../../../../../support/engine/engine';
import { occupy, ownPortRange, vacate } from '../../../../../support/ports';

describe('services/workspaces/start/starter: ports that are taken', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  const workspace = () => test.services.workspaces.get('demo');
  const codes = () => workspace().warnings.map(({ code }) => code);
  const removals = () => test.driver.calls.filter((call) => /^remove |^setAside /.test(call));

  it('moves to another port, and says so, when somebody took ours while it was stopped', async () => {
    await test.create('demo');
    await test.done(test.services.verbs.stop('demo'));
    const { sshPort } = workspace();
    const id = test.driver.runtimes.get('workspace-demo')?.id;
    const server = await occupy(sshPort, '127.0.0.1');
    const operation = await test.done(test.services.verbs.start('demo'));
    await vacate(server);
    assert.equal(operation.status, 'succeeded');
    assert.equal(workspace().sshPort, sshPort + 1);
    assert.deepEqual(codes(), ['port-moved']);
    assert(operation.warnings.some((warning) => /taken by another program: SSH is on/.test(warning)));
    assert.equal(test.driver.plans.get('workspace-demo')?.sshPort, sshPort + 1);
    assert.equal(test.driver.runtimes.get('workspace-demo')?.id, id);
    assert.deepEqual(removals(), [], 'its own files stay');
    assert.match(await readFile(test.state.sshConfig, 'utf8'), new RegExp(`Port ${sshPort + 1}`));
    await test.create('other');
    assert.equal(test.services.workspaces.get('other').sshPort, sshPort, 'the old one is free again');
  });

  it('moves as well when the system keeps the port though nobody listens on it', async () => {
    await test.create('demo');
    await test.done(test.services.verbs.stop('demo'));
    const { sshPort } = workspace();
    test.driver.fail('start', new BerthError('in_use', 'Bind for 127.0.0.1: port is already allocated'));
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    assert.notEqual(workspace().sshPort, sshPort);
    assert.deepEqual(removals(), []);
  });

  it('hands on what the start of a runtime has to say, until the next one', async () => {
    await test.create('demo');
    await test.done(test.services.verbs.stop('demo'));
    test.driver.startNotes.push('It is left without a network.');
    const operation = await test.done(test.services.verbs.start('demo'));
    assert.deepEqual(operation.warnings, ['It is left without a network.']);
    assert.deepEqual(codes(), ['networks']);
    await test.done(test.services.verbs.stop('demo'));
    await test.done(test.services.verbs.start('demo'));
    assert.deepEqual(codes(), []);
  });

  it('moves the very port that the system refuses: a published one, and not that of SSH', async () => {
    const { first: free } = ownPortRange(1);
    await test.create('demo', { ports: [{ guest: 80 }, { host: free, guest: 90 }] });
    await test.done(test.services.verbs.stop('demo'));
    const { sshPort, spec } = workspace();
    const [chosen] = spec.ports ?? [];
    const refuse = (port?: number) =>
      test.driver.fail(
        'start',
        new BerthError('in_use', `listen tcp4 127.0.0.1:${port}: bind: address already in use`),
      );
    refuse(chosen?.host);
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    assert.equal(workspace().sshPort, sshPort);
    const [moved, pinned] = workspace().spec.ports ?? [];
    assert.notEqual(moved?.host, chosen?.host);
    assert.equal(pinned?.host, free);
    await test.done(test.services.verbs.stop('demo'));
    refuse(free);
    const { error } = await test.done(test.services.verbs.start('demo'));
    assert.match(error?.message ?? '', new RegExp(`Port ${free} of this machine is used by another program`));
    assert.equal(workspace().sshPort, sshPort);
    assert.equal(workspace().state, 'stopped');
  });

  it('moves a published port that Berth chose; one that the user named is refused, with nothing moved', async () => {
    await test.create('demo', { ports: [{ guest: 80 }] });
    await test.done(test.services.verbs.stop('demo'));
    const [before] = workspace().spec.ports ?? [];
    assert.equal(before?.chosen, true);
    const server = await occupy(before.host ?? 0, '127.0.0.1');
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    const [after] = workspace().spec.ports ?? [];
    assert.notEqual(after?.host, before.host);
    assert.deepEqual(codes(), ['port-moved']);
    assert.match(
      workspace().warnings[0]?.message ?? '',
      new RegExp(`${before.host}.*80 inside is on ${after?.host}`),
    );
    assert.deepEqual(test.driver.plans.get('workspace-demo')?.ports, [{ host: after?.host, guest: 80 }]);
    assert.deepEqual(removals(), []);
    await vacate(server);
    await test.services.workspaces.update('demo', { ports: [{ host: before.host ?? 0, guest: 80 }] });
    await test.done(test.services.verbs.stop('demo'));
    const again = await occupy(before.host ?? 0, '127.0.0.1');
    const { sshPort } = workspace();
    const operation = await test.done(test.services.verbs.start('demo'));
    await vacate(again);
    assert.equal(operation.error?.code, 'in_use');
    assert.equal(workspace().sshPort, sshPort);
  });

  it('keeps its ports when it can not take its files along to others: they may be free again', async () => {
    await test.create('demo', { ports: [{ guest: 80 }] });
    await test.done(test.services.verbs.stop('demo'));
    const { sshPort, spec } = workspace();
    const servers = await Promise.all(
      [sshPort, spec.ports?.[0]?.host ?? 0].map((port) => occupy(port, '127.0.0.1')),
    );
    for (let start = 0; start < 2; start += 1) {
      test.driver.fail('refit', new BerthError('no_space', 'no room'));
      const { error, warnings } = await test.done(test.services.verbs.start('demo'));
      assert.equal(error?.code, 'no_space');
      assert.deepEqual(warnings, [], 'nothing has moved');
      assert.deepEqual([workspace().sshPort, workspace().spec.ports], [sshPort, spec.ports]);
      assert.deepEqual(codes(), []);
    }
    await Promise.all(servers.map(vacate));
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    assert.equal(test.driver.calls.filter((call) => call.startsWith('refit ')).length, 2);
    const other = await test.create('other', { ports: [{ guest: 80 }] });
    assert.equal(other.status, 'succeeded');
    assert.notEqual(test.services.workspaces.get('other').sshPort, sshPort);
  });

  it('says that the port must become free when the image is gone of which it would be made anew', async () => {
    await test.create('demo');
    await test.done(test.services.verbs.stop('demo'));
    const { sshPort } = workspace();
    const server = await occupy(sshPort, '127.0.0.1');
    test.driver.fail('refit', imageMissing(`sha256:${'1'.repeat(64)}`));
    const { error } = await test.done(test.services.verbs.start('demo'));
    await vacate(server);
    assert.equal(error?.code, 'in_use');
    assert.match(error.message, new RegExp(`port ${sshPort} \\(SSH\\).*image`));
    assert.match(error.hint ?? '', /End the program/);
    assert.equal(workspace().sshPort, sshPort);
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
  });

  it('has in its record what was not carried along, before what it was goes, until it starts again', async () => {
    await test.create('demo');
    await test.done(test.services.verbs.stop('demo'));
    const server = await occupy(workspace().sshPort, '127.0.0.1');
    test.driver.leftBehind = ['sockets (1, the first is "/a")'];
    const told = /^Not carried along to the other port: sockets \(1, the first is "\/a"\)\.$/;
    test.driver.fail('start', new BerthError('internal', 'cut off'));
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'failed');
    await vacate(server);
    test.driver.leftBehind = [];
    const warning = () => workspace().warnings.find(({ code }) => code === 'not-carried')?.message;
    assert.match(warning() ?? '', told);
    const { status, warnings } = await test.done(test.services.verbs.start('demo'));
    assert.equal(status, 'succeeded');
    assert(
      warnings.some((line) => told.test(line)),
      'the start that is the end of what it was says so again',
    );
    assert.equal(warning(), undefined);
  });

  it('starts without a rebuild once a port that another program has taken is given up, as its error says', async () => {
    const { first: taken } = ownPortRange(1);
    await test.create('demo', { ports: [{ guest: 80 }, { host: taken, guest: 90 }] });
    await test.done(test.services.verbs.stop('demo'));
    const server = await occupy(taken, '127.0.0.1');
    const { error } = await test.done(test.services.verbs.start('demo'));
    assert.match(error?.hint ?? '', /`berth port remove demo 90`/);
    const { sshPort, spec } = workspace();
    const kept = (spec.ports ?? []).slice(0, 1);
    await test.services.workspaces.update('demo', { ports: kept });
    assert.deepEqual(codes(), ['ports']);
    test.driver.fail(
      'start',
      new BerthError('in_use', `listen tcp4 127.0.0.1:${taken}: bind: address already in use`),
    );
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    await vacate(server);
    assert.equal(workspace().sshPort, sshPort, 'nobody has taken that one');
    assert.deepEqual(workspace().spec.ports, kept);
    assert.deepEqual(
      test.driver.plans.get('workspace-demo')?.ports,
      kept.map(({ host, guest }) => ({ host, guest })),
    );
    assert.deepEqual(removals(), []);
  });

  it('gives a runtime the ports that the record got before an engine was killed', async () => {
    await test.create('demo', { ports: [{ guest: 80 }] });
    await test.done(test.services.verbs.stop('demo'));
    const { sshPort, spec } = workspace();
    const built = test.driver.plans.get('workspace-demo');
    const info = test.driver.runtimes.get('workspace-demo');
    assert(built !== undefined && info !== undefined);
    test.driver.plans.set('workspace-demo', { ...built, ports: [{ host: 1, guest: 80 }] });
    assert.equal((await test.done(test.services.verbs.start('demo'))).status, 'succeeded');
    const published = () => test.driver.plans.get('workspace-demo')?.ports;
    assert.deepEqual(published(), [{ host: spec.ports?.[0]?.host, guest: 80 }]);
    assert.deepEqual(codes(), []);
    await test.done(test.services.verbs.stop('demo'));
    info.sshPort = 1;
    const { warnings } = await test.done(test.services.verbs.start('demo'));
    assert.equal(info.sshPort, sshPort);
    assert(
      warnings.some((warning) => warning.includes(`SSH is on ${sshPort} now`)),
      'nobody was told before',
    );
  });
});
