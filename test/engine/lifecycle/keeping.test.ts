/** What survives: files, host key, port, label; and what changes live. */
import assert from 'node:assert/strict';
import { archiveOf } from '../../../src/backend/tar/archive';
import { failure } from '../../support/errors';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { itMostlyOfEngine, testTimeoutMs } from '../../support/runtimes/columns';

/** Of all that is below ~/kept: names, modes, times, contents. */
const fingerprint =
  'cd ~/kept && tar --sort=name --format=posix --pax-option=delete=atime,delete=ctime -cf - . | sha256sum';

describe('lifecycle: what is kept', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;
  let files: string;
  let otherImage: string | undefined;
  let otherImageId = '';

  before(async () => {
    ({ name } = await harness().create({ env: { COLOUR: 'green' } }));
    await harness().sh(
      name,
      `mkdir -p ~/kept/deep/er && cd ~/kept && head -c 3000000 /dev/urandom >blob && echo x >'deep/er/na me
second line' && chmod 400 blob && ln -s ../blob deep/link && ln -s /nowhere deep/dangling && mkfifo pipe && mkdir -m 711 empty`,
    );
    files = await harness().sh(name, fingerprint);
  });
  after(async () => {
    if (otherImage !== undefined) {
      await harness().docker.getImage(otherImage).remove({ force: true });
      await harness().runtime.forgetImage(otherImageId);
    }
  });

  const assertKept = async () => assert.equal(await harness().sh(name, fingerprint), files);

  it('keeps files byte for byte over stop and start', async () => {
    await harness().verb('stop', name);
    assert.equal((await harness().workspace(name)).startedAt, undefined);
    await harness().verb('start', name);
    await assertKept();
  });

  it('archives: nothing runs; restores with every byte, also of what is outside of volumes', async () => {
    const own =
      'mkdir -p /opt/own && head -c 3000000 /dev/urandom >/opt/own/blob && echo mine >/etc/mine; echo deploy:x:4242:4242::/:/bin/sh >>/etc/passwd; sync';
    await harness().exec(name, ['sh', '-c', own], { user: 'root' });
    const { sshPort } = await harness().workspace(name);
    await harness().verb('archive', name);
    assert.equal(await harness().runtime.stateOf(name), 'stopped');
    const { ownFiles } = await harness().workspace(name);
    assert((ownFiles?.bytes ?? 0) > 3_000_000, JSON.stringify(ownFiles));
    assert([undefined, 3].includes(ownFiles?.files), JSON.stringify(ownFiles));
    await harness().verb('restore', name);
    await assertKept();
    assert.equal(await harness().sh(name, 'stat -c %s /opt/own/blob; cat /etc/mine'), '3000000\nmine');
    await harness().exec(name, ['sh', '-c', "rm -rf /opt/own /etc/mine; sed -i '/^deploy:/d' /etc/passwd"], {
      user: 'root',
    });
    assert.equal((await harness().workspace(name)).sshPort, sshPort);
  });

  /** As `workspace:latest`, with one file more. */
  async function imageWithMarker(repo: string): Promise<string> {
    const { docker } = harness();
    const container = await docker.createContainer({ Image: 'workspace:latest', name: `${repo}-marked` });
    try {
      const marker = await archiveOf([{ name: 'opt/marker', mode: 0o644, content: 'other\n' }]);
      await container.putArchive(marker, { path: '/' });
      await container.commit({ repo, tag: 'other' });
    } finally {
      await container.remove({ v: true });
    }
    return `${repo}:other`;
  }

  it('rebuilds on another image: new root file system, same home', async () => {
    otherImage = await imageWithMarker(`berth-test-${harness().prefix}`);
    await harness().exec(name, ['sh', '-c', 'touch /opt/lost'], { user: 'root' });
    const before = await harness().workspace(name);
    const operation = await harness().client.call('workspaces.rebuild', {
      params: { name },
      body: { image: otherImage, confirm: true },
    });
    await harness().done(operation);
    const after = await harness().workspace(name);
    assert.equal(after.state, 'running');
    assert.equal(after.spec.image, otherImage);
    otherImageId = after.imageId ?? '';
    assert.notEqual(after.imageId, before.imageId);
    assert.equal(await harness().sh(name, 'cat /opt/marker; ls /opt'), 'other\nmarker');
    await assertKept();
  });

  /** In which nobody can be logged in. */
  async function brokenImage(repo: string): Promise<string> {
    const { docker } = harness();
    const container = await docker.createContainer({
      ...{ Image: 'workspace:latest', name: `${repo}-broken`, User: '0:0' },
      ...{ Entrypoint: ['sh', '-c', 'rm /etc/passwd && mkdir -p /etc/passwd/in'], Cmd: [] },
    });
    try {
      await container.start();
      await container.wait();
      await container.commit({ repo, tag: 'broken' });
    } finally {
      await container.remove({ v: true });
    }
    return `${repo}:broken`;
  }

  it('names what a rebuild takes, and asks; the old runtime is back when the new one does not work', async () => {
    const { client } = harness();
    const asRoot = (script: string) => harness().exec(name, ['sh', '-c', script], { user: 'root' });
    await asRoot('mkdir -p /opt/tool; head -c 2000000 /dev/urandom >/opt/tool/blob; sync');
    const sum = await asRoot('sha256sum /opt/tool/blob');
    const before = await harness().workspace(name);
    const params = { name };
    const asked = await failure(
      client.call('workspaces.rebuild', { params, body: {} }),
      'needs_confirmation',
    );
    assert.match(asked.message, /outside of its volumes: (\d+ files?, )?[\d.]+ MiB\.$/);
    assert.match(asked.hint ?? '', new RegExp(`berth commit ${name} IMAGE`));
    assert.equal((await harness().workspace(name)).startedAt, before.startedAt);
    const image = await brokenImage(`berth-test-${harness().prefix}`);
    try {
      const body = { image, confirm: true };
      const begun = await client.call('workspaces.rebuild', { params, body });
      await assert.rejects(harness().done(begun));
      const after = await harness().workspace(name);
      assert.equal(after.state, 'running');
      assert.equal(after.spec.image, before.spec.image);
      assert.equal(after.runtimeId, before.runtimeId);
      assert.equal(await asRoot('sha256sum /opt/tool/blob'), sum);
      await assertKept();
    } finally {
      const { Id: id } = await harness().docker.getImage(image).inspect();
      await harness().docker.getImage(image).remove({ force: true });
      await harness().runtime.forgetImage(id);
    }
    await asRoot('rm -r /opt/tool');
  });

  itMostlyOfEngine(
    'rebuilds a stopped one and leaves it stopped; an unknown image removes nothing',
    async () => {
      await harness().verb('stop', name);
      const rebuild = (image: string) =>
        harness().client.call('workspaces.rebuild', { params: { name }, body: { image, confirm: true } });
      const error = await failure(rebuild('berth-test/none:1'), 'image_missing');
      assert.match(error.message, /berth-test\/none:1/);
      assert.equal(await harness().runtime.stateOf(name), 'stopped');
      await harness().done(await rebuild('workspace:latest'));
      assert.equal(await harness().state(name), 'stopped');
      await harness().verb('start', name);
      await assertKept();
    },
  );

  it('renames the label, and nothing else', async () => {
    const before = await harness().workspace(name);
    const after = await harness().client.call('workspaces.update', {
      params: { name },
      body: { label: 'Ünîcode & more' },
    });
    assert.deepEqual(after, { ...before, label: 'Ünîcode & more' });
  });

  itMostlyOfEngine('changes limits live, and says what waits, and for what', async () => {
    const { runtimeId } = await harness().workspace(name);
    const memory = async () =>
      (await harness().client.call('workspaces.stats', { params: { name } })).memoryLimitBytes / 1024 / 1024;
    const before = await memory();
    const after = await harness().client.call('workspaces.update', {
      params: { name },
      body: { limits: { memoryMiB: 200, pids: 150, shmMiB: 20 } },
    });
    assert.equal(after.runtimeId, runtimeId);
    assert.notEqual(before, 200);
    await eventually('its memory is less', async () => (await memory()) === 200);
    assert.match(after.warnings[0]?.message ?? '', /next (?:rebuild|start): .*shared memory/);
    const operation = await harness().client.call('workspaces.rebuild', {
      params: { name },
      body: { confirm: true },
    });
    await harness().done(operation);
    assert.match(await harness().sh(name, 'df -m /dev/shm | tail -1'), /\s20\s/);
    assert.deepEqual((await harness().workspace(name)).warnings, []);
  });

  it('refuses limits that are none, changing nothing', async () => {
    const patch = (limits: object) =>
      harness().client.call('workspaces.update', { params: { name }, body: { limits } });
    const { limits } = (await harness().workspace(name)).spec;
    assert.equal((await failure(patch({ memoryMiB: 0 }), 'bad_request')).field, 'limits.memoryMiB');
    assert.deepEqual((await harness().workspace(name)).spec.limits, limits);
  });

  itMostlyOfEngine('takes new variables and secrets with the next start', async () => {
    await harness().client.call('workspaces.update', {
      params: { name },
      body: { env: { COLOUR: 'blue' }, secrets: { PIN: '0000' } },
    });
    await harness().verb('restart', name);
    assert.equal(await harness().ssh(name, ['echo $COLOUR $PIN']), 'blue 0000');
  });

  it('kills what does not end within ten seconds, and the record says so until the next stop', async () => {
    await harness().runtime.deafen(name, (script) =>
      harness().exec(name, ['sh', '-c', script], { user: 'root' }),
    );
    const started = Date.now();
    await harness().verb('stop', name);
    assert(Date.now() - started > 9_000);
    const { warnings } = await harness().workspace(name);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['killed'],
    );
    await harness().verb('start', name);
    const gentle = Date.now();
    await harness().verb('stop', name);
    assert(Date.now() - gentle < 8_000);
    assert.deepEqual((await harness().workspace(name)).warnings, []);
    await harness().verb('start', name);
    await assertKept();
  });

  it('names what a delete takes, with its size; keeps the home when told to', async () => {
    const volume = `workspace-${name}`;
    const { usedBytes } = await harness().client.call('volumes.get', {
      params: { volume },
      query: { usage: true },
    });
    assert((usedBytes ?? 0) > 3_000_000);
    assert.deepEqual((await harness().delete(name, true)).result, { deleted: [] });
    assert(await harness().runtime.hasVolume(volume));
    const again = await harness().create({ name });
    assert.equal(again.warnings.length, 0);
    await assertKept();
    assert.deepEqual((await harness().delete(name)).result, { deleted: [volume] });
    assert.equal(await harness().runtime.hasVolume(volume), false);
  });

  itLeavesNothing(harness);
});
