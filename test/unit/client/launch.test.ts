import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { socketPath } from '../../../src/api/endpoint';
import { protocolVersion } from '../../../src/api/version';
import { EngineClient } from '../../../src/client/engine-client';
import { connect, probe, untilGone, type LaunchOptions } from '../../../src/client/launch';
import { failure } from '../../support/errors';
import { useTempFolder } from '../../support/temp';
import { until } from '../../support/wait';

const enginePath = require.resolve('../../support/tiny-engine');

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

  it('says when an engine does not answer in time', async () => {
    await writeFile(join(home(), 'hangs.js'), 'setTimeout(() => {}, 1500)');
    const hanging = options({ enginePath: join(home(), 'hangs.js'), startTimeoutMs: 200 });
    const error = await failure(connect(hanging), 'timeout');
    assert.match(error.message, /did not answer within 0.2 s/);
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
