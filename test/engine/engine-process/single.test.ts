/** One engine per state directory: started by whoever comes first, ending by itself, handing over. */
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketPath } from '../../../src/api/rules/endpoint';
import { berthVersion } from '../../../src/api/version';
import { EventStream } from '../../../src/client/events';
import { connect } from '../../../src/client/launch';
import { processesOf } from '../../support/engine/census';
import { EngineProcess, enginePath } from '../../support/engine/engine-process';
import { EngineHarness, eventually } from '../../support/engine/engine-harness';
import { FileServer } from '../../support/programs/git-server';
import { itMostlyOfEngine, itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';

/** Longer than a busy machine may keep a test from its next request. */
const idleExitMs = 1500;
const lateExitMs = 5000;

describe('engine process: one, and only as long as needed', function () {
  this.timeout(testTimeoutMs);
  let harness: EngineHarness;

  beforeEach(() => {
    harness = new EngineHarness({ env: { BERTH_IDLE_EXIT_MS: String(idleExitMs) } });
  });
  afterEach(async function () {
    this.timeout(testTimeoutMs);
    await harness.close();
    const left = await processesOf(harness.home);
    left.forEach((line) => process.kill(Number(line.split(' ')[0]), 'SIGKILL'));
    assert.deepEqual(left, []);
  });

  const launch = (version = berthVersion) =>
    connect({ enginePath, version, home: harness.home, startTimeoutMs: 40_000 });

  itOfContainers('the engine alone', 'ten clients at once start exactly one, and all get it', async () => {
    const started = Date.now();
    const clients = await Promise.all(Array.from({ length: 10 }, () => launch()));
    console.log(`      ten clients connected after ${Date.now() - started} ms`);
    const pids = await Promise.all(clients.map(async (client) => (await client.call('engine.info', {})).pid));
    assert.equal(new Set(pids).size, 1);
    const release = clients.map((client) => new EventStream(() => Promise.resolve(client.transport), silent));
    await eventually('the other nine have ended', async () => (await processesOf(harness.home)).length === 1);
    release.forEach((stream) => stream.dispose());
    await clients[0]?.call('engine.stop', { body: {} });
    clients.forEach((client) => client.dispose());
    await eventually('the one has ended', async () => (await processesOf(harness.home)).length === 0);
  });

  itOfContainers(
    'the engine alone',
    'ends by itself when nobody is there, leaving neither socket nor lock',
    async () => {
      await harness.start();
      assert.equal(await harness.process.ended(10_000), 0);
      for (const file of [socketPath(harness.home), join(harness.home, 'engine.lock')]) {
        await assert.rejects(stat(file), { code: 'ENOENT' });
      }
    },
  );

  itOfContainers(
    'the engine alone',
    'stays while a client follows its events, and ends some time after it left',
    async () => {
      await harness.start();
      const { client } = harness;
      const stream = new EventStream(() => Promise.resolve(client.transport), silent);
      await sleep(idleExitMs * 3);
      assert(harness.process.isRunning);
      stream.dispose();
      assert.equal(await harness.process.ended(10_000), 0);
    },
  );

  itMostlyOfEngine('stays while a workspace has an idle policy, and while an operation runs', async () => {
    await harness.start({ BERTH_IDLE_EXIT_MS: '600000' });
    const { name } = await harness.create({ start: false, idle: { archiveAfter: 600 } });
    await harness.process.stop();
    // Busy from its first moment: on a slow machine it would be gone before the first request.
    await harness.start();
    await sleep(idleExitMs * 3);
    assert(harness.process.isRunning, 'an idle policy is watched');
    const files = await FileServer.start(harness.folder, harness.docker);
    try {
      const gate = files.hold();
      await harness.beginCreate(harness.name(), { cloneUrl: files.url('none.git') });
      await gate.entered;
      await harness.client.call('workspaces.update', { params: { name }, body: { idle: {} } });
      await sleep(idleExitMs * 3);
      assert(harness.process.isRunning, 'an operation runs');
      gate.open();
      assert.equal(await harness.process.ended(10_000), 0);
    } finally {
      await files.close();
    }
  });

  it('leaves what runs alone when it ends, and finds it again', async () => {
    await harness.start({ BERTH_IDLE_EXIT_MS: '60000' });
    const { name, startedAt } = await harness.create();
    await harness.client.call('engine.stop', { body: {} });
    assert.equal(await harness.process.ended(), 0);
    assert.equal(await harness.ssh(name, ['echo', 'alone']), 'alone');
    await harness.start({ BERTH_IDLE_EXIT_MS: '60000' });
    const again = await harness.workspace(name);
    assert.deepEqual([again.state, again.startedAt], ['running', startedAt]);
    assert.equal((await harness.client.call('operations.list', { query: { running: true } })).length, 0);
  });

  itOfContainers('the engine alone', 'takes over a socket and a lock that a killed one left', async () => {
    await harness.start();
    await harness.process.kill();
    await stat(socketPath(harness.home));
    await harness.start();
    await harness.process.stop();
    // A lock of a process before the last boot, and a link that leads nowhere.
    const owner = { pid: 1, startTime: '1', bootId: 'x', nonce: 'y' };
    await writeFile(join(harness.home, 'engine.lock'), JSON.stringify(owner));
    // A short socket path has a folder of its own, which goes with the engine.
    await mkdir(dirname(socketPath(harness.home)), { recursive: true, mode: 0o700 });
    await symlink(join(harness.folder, 'nowhere'), socketPath(harness.home));
    await harness.start();
  });

  itOfContainers('the engine alone', 'is not started twice, also when asked directly', async () => {
    await harness.start({ BERTH_IDLE_EXIT_MS: '20000' });
    const { pid } = await harness.client.call('engine.info', {});
    const second = await EngineProcess.start(harness.home, harness.env);
    assert.equal((await second.client.call('engine.info', {})).pid, pid);
    assert.equal(await second.ended(15_000), 0);
    assert(harness.process.isRunning);
  });

  async function askWhileItEnds(): Promise<void> {
    const clients = await Promise.all(Array.from({ length: 4 }, () => launch()));
    const [first] = clients;
    assert(first);
    const pids = new Set<number>();
    for (let round = 0; round < 2; round += 1) {
      const asking = clients.map(async (client, index) => {
        await sleep(index * 3);
        for (let call = 0; call < 15; call += 1) {
          await client.call('workspaces.list', {});
        }
        return client.call('engine.info', {});
      });
      await sleep(10);
      await first.callRunning('engine.stop', { body: {} });
      (await Promise.all(asking)).forEach(({ pid }) => pids.add(pid));
    }
    assert(pids.size > 1, 'others have been started');
    await first.call('engine.stop', { body: {} });
    clients.forEach((client) => client.dispose());
  }

  itOfContainers('the engine alone', 'no client notices that it was ended meanwhile', async () => {
    // One that a client had started while another one answered may come up when all is over: it finds nobody, and ends.
    process.env.BERTH_IDLE_EXIT_MS = String(lateExitMs);
    try {
      await askWhileItEnds();
    } finally {
      delete process.env.BERTH_IDLE_EXIT_MS;
    }
    await eventually('the last has ended', async () => (await processesOf(harness.home)).length === 0);
  });

  itMostlyOfEngine('hands over to another version when it is idle, not when it is busy', async () => {
    await harness.start({ BERTH_IDLE_EXIT_MS: '20000' });
    const files = await FileServer.start(harness.folder, harness.docker);
    try {
      const gate = files.hold();
      const operation = await harness.beginCreate(harness.name(), { cloneUrl: files.url('none.git') });
      await gate.entered;
      const busy = await launch('99.0.0');
      assert.equal((await busy.call('engine.info', {})).pid, harness.process.pid);
      busy.dispose();
      gate.open();
      await harness.done(operation);
    } finally {
      await files.close();
    }
    const next = await launch('99.0.0');
    assert.notEqual((await next.call('engine.info', {})).pid, harness.process.pid);
    assert.equal(await harness.process.ended(), 0);
    assert.equal((await next.call('workspaces.list', {}))[0]?.state, 'running');
    await next.call('engine.stop', { body: {} });
    next.dispose();
    // What runs workspaces may run on.
    const engines = async () => (await processesOf(harness.home)).filter((line) => line.includes(enginePath));
    await eventually('it has ended', async () => (await engines()).length === 0);
  });

  itOfContainers('the engine alone', 'says why it can not start', async () => {
    await writeFile(join(harness.home, 'workspaces'), 'a file where a folder must be');
    const error = await launch().then(
      () => assert.fail('it started'),
      (thrown: unknown) => thrown as Error,
    );
    assert.match(error.message, /could not start.*(EEXIST|ENOTDIR)/s);
  });

  itOfContainers('the engine alone', 'logs in JSON lines, for the user only', async () => {
    await harness.start();
    await harness.process.stop();
    const lines = (await readFile(join(harness.home, 'engine.log'), 'utf8')).trim().split('\n');
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    assert(messages.includes('engine ready') && messages.includes('engine ends'), messages.join());
    assert.equal((await stat(join(harness.home, 'engine.log'))).mode & 0o777, 0o600);
  });
});

const silent = { event: () => undefined, connected: () => undefined, disconnected: () => undefined };
