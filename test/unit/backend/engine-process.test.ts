/** The real engine as a process, where the machine around it is not kind. No runtime product is needed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, stat, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketPath } from '../../../src/api/rules/endpoint';
import { berthVersion } from '../../../src/api/version';
import { EngineClient } from '../../../src/client/engine-client';
import { connect, untilGone } from '../../../src/client/launch';
import { EngineProcess, enginePath } from '../../support/engine/engine-process';
import { failure } from '../../support/errors';
import { fillDisk, mountSmallDisk, unmount } from '../../support/files/small-disk';
import { useTempFolder } from '../../support/temp';
import { until } from '../../support/wait';
import { needsRoot, skipWithout } from '../../support/skip';

describe('the engine as a process', function () {
  this.timeout(120_000);
  let mounted: string | undefined;
  let running: EngineProcess | undefined;
  // Before the folder goes: hooks run in the order in which they are given.
  afterEach(async () => {
    await running?.stop();
    running = undefined;
    if (mounted !== undefined) {
      unmount(mounted);
      mounted = undefined;
    }
  });
  const folder = useTempFolder();
  const disk = () => join(folder(), 'disk');
  const home = () => join(disk(), 'home');
  const launch = (options: { home?: string } = {}) =>
    connect({ enginePath, version: berthVersion, home: home(), startTimeoutMs: 60_000, ...options });
  const start = async (env: NodeJS.ProcessEnv = {}) => (running = await EngineProcess.start(home(), env));

  it('starts and answers on a full disk, once it has run there, and says so where it can not', async function () {
    if (!mountSmallDisk(disk(), '1m')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    mounted = disk();
    fillDisk(disk());
    const error = await failure(launch(), 'no_space');
    assert.match(error.message, /could not start.*The disk that holds .* is full/);
    rmSync(join(disk(), 'filler'));
    await start();
    await until('its reserve is kept', async () => (await readdir(home())).includes('engine.reserve'));
    await running?.stop();
    fillDisk(disk());
    const { client } = await start();
    assert.deepEqual(await client.call('workspaces.list', {}), []);
    assert(!(await readdir(home())).includes('engine.reserve'), 'given up');
    fillDisk(disk());
    const refused = await failure(
      client.call('engine.configure', { body: { defaultImage: 'x' } }),
      'no_space',
    );
    assert.match(refused.hint ?? '', /Make room/);
  });

  it('ends with the reason in its log and in engine.stderr, and what ran, after an error that nobody handles', async () => {
    const plant = join(folder(), 'plant.js');
    writeFileSync(
      plant,
      `process.on('SIGUSR2', () => { throw new TypeError('planted'); });
       process.on('SIGPWR', () => { throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }); });`,
    );
    await start({ NODE_OPTIONS: `--require ${plant}` });
    running?.signal('SIGPWR');
    const log = () => readFileSync(join(home(), 'engine.log'), 'utf8');
    await until('it is logged', () => log().includes('nobody listened'));
    // A request whose body never ends; the server says when it has begun.
    const headers = { 'content-type': 'application/json', 'content-length': 100, expect: '100-continue' };
    const asked = request({
      socketPath: socketPath(home()),
      method: 'POST',
      path: '/v1/workspaces',
      headers,
    });
    asked.on('error', () => undefined).flushHeaders();
    await once(asked, 'continue');
    running?.signal('SIGUSR2');
    assert.equal(await running?.ended(), 1);
    assert.match(log(), /"running":\["POST \/v1\/workspaces"\],"msg":"uncaught exception: the engine ends"/);
    assert.match(log(), /planted/);
    assert.match(running?.said ?? '', /The engine failed during POST \/v1\/workspaces: TypeError: planted/);
    const left = await readdir(home());
    assert(!left.includes('engine.lock'), 'the lock is free');
  });

  it('writes nothing to a folder of somebody else, and says why', async () => {
    await mkdir(home(), { recursive: true });
    writeFileSync(join(home(), 'photo.jpg'), '');
    await chmod(home(), 0o755);
    const { status, stderr } = spawnSync(process.execPath, [enginePath], {
      env: { ...process.env, BERTH_HOME: home() },
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /can't be Berth's state directory: it holds other files \("photo.jpg"\)/);
    assert.deepEqual(await readdir(home()), ['photo.jpg']);
    assert.equal((await stat(home())).mode & 0o777, 0o755);
  });

  it('gives the reason to the client: a newer installation.json, in a folder that stays as it is', async () => {
    await mkdir(home(), { recursive: true, mode: 0o700 });
    const content = '{"schemaVersion":7,"id":"x"}';
    writeFileSync(join(home(), 'installation.json'), content);
    const error = await failure(launch(), 'forbidden');
    assert.match(
      error.message,
      /could not start.*installation\.json is left untouched: A newer Berth wrote it/,
    );
    assert.equal(await readFile(join(home(), 'installation.json'), 'utf8'), content);
    assert(!(await readdir(home())).includes('engine.lock'));
  });

  it('is one for a long path, a slash at its end and a link to it, whatever umask and environment', async () => {
    const long = join(folder(), 'long'.repeat(15), 'long'.repeat(15));
    await mkdir(join(long, '..'), { recursive: true });
    const link = join(folder(), 'link');
    await symlink(long, link);
    const before = process.umask(0);
    const clients: EngineClient[] = [];
    try {
      const pids = new Set<number>();
      for (const spelled of [`${long}/`, long, link]) {
        const client = await launch({ home: spelled });
        clients.push(client);
        pids.add((await client.call('engine.info', {})).pid);
      }
      assert.equal(pids.size, 1);
      assert.equal((await stat(long)).mode & 0o777, 0o700);
      assert.equal((await stat(join(long, 'keys'))).mode & 0o777, 0o700);
      assert.equal((await stat(join(long, 'engine.stderr'))).mode & 0o777, 0o600);
      assert.equal((await stat(socketPath(long))).mode & 0o777, 0o600);
    } finally {
      process.umask(before);
      await clients[0]?.call('engine.stop', { body: {} });
      await Promise.all(clients.map((client) => untilGone(client)));
      clients.forEach((client) => client.dispose());
    }
    await until('the folder of the socket is gone', () => !existsSync(join(socketPath(long), '..')));
  });

  it('tells a user who is not root why a folder can not be used', async function () {
    needsRoot(this, 'becomes another user');
    if (spawnSync('setpriv', ['--version']).status !== 0) skipWithout(this, 'setpriv');
    // Where that user may go: not below the folder of this user.
    const open = mkdtempSync(join(tmpdir(), 'berth-user-'));
    try {
      await chmod(open, 0o755);
      const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, enginePath];
      const { status, stderr } = spawnSync('setpriv', asNobody, {
        env: { ...process.env, BERTH_HOME: open },
        encoding: 'utf8',
      });
      assert.equal(status, 1);
      assert.match(stderr, /belongs to another user/);
      assert.deepEqual(await readdir(open), []);
    } finally {
      rmSync(open, { recursive: true });
    }
  });
});
