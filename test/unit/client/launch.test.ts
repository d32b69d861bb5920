import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketPath } from '../../../src/api/rules/endpoint';
import { protocolVersion } from '../../../src/api/version';
import { EngineClient } from '../../../src/client/engine-client';
import { connect, probe, untilGone, type LaunchOptions } from '../../../src/client/launch';
import { failure } from '../../support/errors';
import { skipWithout } from '../../support/skip';
import { useTempFolder } from '../../support/temp';
import { until } from '../../support/wait';

const enginePath = require.resolve('../../support/engine/tiny-engine');

describe('client/launch', function () {
  this.timeout(20_000);
  const clients: EngineClient[] = [];
  const changed: string[] = [];
  /** One that does not stop when asked. */
  let busy: number | undefined;

  // Before the folder goes: hooks run in the order in which they are given.
  afterEach(async () => {
    changed.splice(0).forEach((name) => Reflect.deleteProperty(process.env, name));
    clients.splice(0).forEach((client) => client.dispose());
    if (busy !== undefined) {
      process.kill(busy);
      busy = undefined;
    }
    const client = new EngineClient(socketPath(home()));
    await client.call('engine.stop', { body: {} }).catch(() => undefined);
    await untilGone(client);
    client.dispose();
  });
  const home = useTempFolder();

  const options = (more: Partial<LaunchOptions> = {}): LaunchOptions => ({
    ...{ enginePath, version: '1.0.0', home: home() },
    ...more,
  });
  async function open(more: Partial<LaunchOptions> = {}): Promise<EngineClient> {
    const client = await connect(options(more));
    clients.push(client);
    return client;
  }
  function env(name: string, value: string): void {
    process.env[name] = value;
    changed.push(name);
  }
  /** Outside of the home, which holds nothing but what engines put there. */
  async function script(text: string): Promise<{ path: string; remove: () => Promise<void> }> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-launch-'));
    const path = join(folder, 'engine.js');
    await writeFile(path, text);
    return { path, remove: () => rm(folder, { recursive: true }) };
  }
  /** One line per engine that got the lock. */
  const started = async () => (await readFile(join(home(), 'started'), 'utf8')).trim().split('\n');

  it('starts an engine where there is none, and finds it from then on', async () => {
    let starts = 0;
    const onStart = (): void => void (starts += 1);
    const first = await open({ onStart });
    const info = await first.call('engine.info', {});
    assert.equal(info.home, home());
    assert.notEqual(info.pid, process.pid);
    const second = await open({ onStart });
    assert.equal((await second.call('engine.info', {})).pid, info.pid);
    assert.equal(starts, 1);
    assert.equal((await stat(socketPath(home()))).mode & 0o777, 0o600);
  });

  it('has its memory come back from its threads, unless the user has set how', async function () {
    if (process.platform !== 'linux') {
      skipWithout(this, '/proc, where the environment of a process is read');
    }
    const arenas = async (): Promise<string | undefined> => {
      const { pid } = await (await open()).call('engine.info', {});
      const text = await readFile(`/proc/${pid}/environ`, 'utf8');
      return text.split('\0').find((line) => line.startsWith('MALLOC_ARENA_MAX='));
    };
    assert.equal(await arenas(), 'MALLOC_ARENA_MAX=2');
    await clients[0]?.call('engine.stop', { body: {} });
    await untilGone(clients[0] ?? assert.fail());
    env('MALLOC_ARENA_MAX', '3');
    assert.equal(await arenas(), 'MALLOC_ARENA_MAX=3');
  });

  it('starts exactly one for ten clients at once', async () => {
    const opened = await Promise.all(Array.from({ length: 10 }, () => open()));
    const pids = await Promise.all(opened.map(async (client) => (await client.call('engine.info', {})).pid));
    assert.equal(new Set(pids).size, 1);
    assert.equal((await started()).length, 1);
  });

  it('starts one where a killed engine left its socket and its lock', async () => {
    const client = await open();
    const { pid } = await client.call('engine.info', {});
    process.kill(pid, 'SIGKILL');
    await until('it is gone', async () => (await probe(client)) === undefined);
    await stat(socketPath(home()));
    await stat(join(home(), 'engine.lock'));
    const again = await open();
    assert.notEqual((await again.call('engine.info', {})).pid, pid);
  });

  it('says at once why an engine can not start', async () => {
    env('TINY_FAIL', 'Cannot find module "dockerode"');
    const began = performance.now();
    const error = await failure(connect(options()), 'internal');
    assert.match(error.message, /could not start.*Cannot find module "dockerode"/);
    assert.match(error.hint ?? '', /engine\.log/);
    assert(performance.now() - began < 15_000);
    await failure(connect(options({ execPath: join(home(), 'no-node') })), 'internal');
  });

  it('gives an engine what its environment is to have besides', async () => {
    const error = await failure(connect(options({ env: { TINY_FAIL: 'as it was given' } })), 'internal');
    assert.match(error.message, /as it was given/);
  });

  it('says when an engine does not answer in time', async () => {
    const { path, remove } = await script(
      "process.stderr.write('still thinking'); setTimeout(() => {}, 4000)",
    );
    try {
      const error = await failure(connect(options({ enginePath: path, startTimeoutMs: 2_000 })), 'timeout');
      assert.match(error.message, /did not answer within 2 s.* Its output: still thinking/);
    } finally {
      await remove();
    }
  });

  it('replaces an idle engine of another version', async () => {
    env('TINY_VERSION', '0.9.0');
    await open({ version: '0.9.0' });
    env('TINY_VERSION', '1.0.0');
    const client = await open();
    assert.equal((await client.call('engine.info', {})).version, '1.0.0');
    assert.deepEqual(
      (await started()).map((line) => line.split(' ')[0]),
      ['0.9.0', '1.0.0'],
    );
  });

  it('hands over once when two clients of the new version come at the same time', async () => {
    env('TINY_VERSION', '0.9.0');
    await open({ version: '0.9.0' });
    env('TINY_VERSION', '1.0.0');
    const both = await Promise.all([open(), open(), open()]);
    const infos = await Promise.all(both.map((client) => client.call('engine.info', {})));
    assert.deepEqual([...new Set(infos.map(({ version }) => version))], ['1.0.0']);
    assert.equal((await started()).length, 2);
  });

  it('does not take the next engine for the old one that it waits for', async () => {
    const client = await open();
    const info = await client.call('engine.info', {});
    await untilGone(client, { pid: info.pid + 1, startedAt: info.startedAt });
  });

  it('never replaces a newer engine: windows of two versions do not take turns', async () => {
    env('TINY_VERSION', '1.1.0');
    await open({ version: '1.1.0' });
    const info = await (await open({ version: '1.0.0' })).call('engine.info', {});
    assert.equal(info.version, '1.1.0');
    assert.equal((await started()).length, 1);
  });

  it('says what to do in a window that is older than the engine and does not understand it', async () => {
    env('TINY_VERSION', '2.0.0');
    env('TINY_PROTOCOL', '99');
    await open({ version: '2.0.0' }).catch(() => undefined);
    const error = await failure(connect(options()), 'runtime_unavailable');
    assert.match(error.message, /newer version 2\.0\.0/);
    assert.match(error.hint ?? '', /Reload the window/);
  });

  it('keeps what an engine said over the next start, within a bound, and quotes the last start alone', async () => {
    env('TINY_FAIL', 'the first reason');
    await failure(connect(options()), 'internal');
    env('TINY_FAIL', 'the second reason');
    const error = await failure(connect(options()), 'internal');
    assert.match(error.message, /the second reason/);
    assert.doesNotMatch(error.message, /the first reason/);
    const path = join(home(), 'engine.stderr');
    assert.match(await readFile(path, 'utf8'), /the first reason\nthe second reason/);
    await writeFile(path, 'x'.repeat(100_000));
    await failure(connect(options()), 'internal');
    assert.equal((await stat(`${path}.1`)).size, 100_000);
    assert.equal(await readFile(path, 'utf8'), 'the second reason\n');
  });

  it('gives up when engines end at once without an error and nobody answers', async function () {
    this.timeout(60_000);
    const count = join(home(), 'engine.count');
    const text = `require('fs').appendFileSync(${JSON.stringify(count)}, 'x');
      require('fs').appendFileSync('engine.log', '{"msg":"not mine to say"}\\n');`;
    await writeFile(join(home(), 'engine.log'), '{"msg":"of an earlier one"}\n');
    const { path, remove } = await script(text);
    const began = Date.now();
    try {
      const error = await failure(connect(options({ enginePath: path, startTimeoutMs: 50_000 })), 'internal');
      assert.match(
        error.message,
        /was started 6 times and ended at once each time.* Its output: not mine to say/,
      );
      assert.doesNotMatch(error.message, /earlier/);
      const starts = (await readFile(count, 'utf8')).length;
      // A start that a busy machine took over four seconds for begins the count anew; nothing else does.
      if (Date.now() - began < 4000) assert.equal(starts, 6);
      else assert.ok(starts >= 6, String(starts));
    } finally {
      await remove();
    }
  });

  it('writes nothing to a folder that is something else', async () => {
    await writeFile(join(home(), 'holiday.jpg'), '');
    const error = await failure(connect(options()), 'bad_request');
    assert.match(error.message, /can't be Berth's state directory: it holds other files \("holiday.jpg"\)/);
    assert.deepEqual(await readdir(home()), ['holiday.jpg']);
  });

  it('says why a state directory can not be made', async () => {
    await writeFile(join(home(), 'settings.json'), '');
    const error = await failure(connect(options({ home: join(home(), 'settings.json/home') })));
    assert.match(error.message, /ENOTDIR|not a folder/);
  });

  it('works with a busy one of another version that speaks the same protocol', async () => {
    env('TINY_VERSION', '0.9.0');
    env('TINY_BUSY', 'an operation is running');
    busy = (await (await open({ version: '0.9.0' })).call('engine.info', {})).pid;
    const info = await (await open()).call('engine.info', {});
    assert.deepEqual([info.version, info.protocol], ['0.9.0', protocolVersion]);
  });

  it('says so when a busy one does not understand this version', async () => {
    env('TINY_VERSION', '0.1.0');
    env('TINY_PROTOCOL', '0');
    env('TINY_BUSY', 'an operation is running');
    busy = (await (await open({ version: '0.1.0' })).call('engine.info', {})).pid;
    const error = await failure(connect(options()), 'runtime_unavailable');
    assert.match(error.message, /version 0\.1\.0 is busy \(an operation is running\)/);
    assert.match(error.hint ?? '', /berth down/);
  });

  it('starts another for a client whose engine has ended since', async () => {
    env('TINY_LINGER_MS', '300');
    const [client, other] = [await open(), await open()];
    const { pid } = await client.call('engine.info', {});
    await other.call('engine.stop', { body: {} });
    await untilGone(other);
    const pids = await Promise.all([1, 2, 3].map(async () => (await client.call('engine.info', {})).pid));
    assert.deepEqual([new Set(pids).size, pids.includes(pid)], [1, false]);
    assert.equal((await started()).length, 2);
  });

  it('tries again when the engine that kept it from starting was just ending', async () => {
    env('TINY_LINGER_MS', '900');
    const client = await open();
    const { pid } = await client.call('engine.info', {});
    await client.call('engine.stop', { body: {} });
    await untilGone(client);
    const next = await open();
    assert.notEqual((await next.call('engine.info', {})).pid, pid);
  });
});
