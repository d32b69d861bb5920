/** Who may reach Docker needs to be nobody else: all that a workspace is made of belongs to that account. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync, chownSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Workspace } from '../../../src/api';
import { temporaryPath } from '../../support/temp';
import { Berth, distribution } from './harness';

/** Root runs them as `nobody`, who has an entry in passwd (OpenSSH wants one); others as themselves. */
const own = process.getuid?.() ?? 0;
const uid = own === 0 ? 65_534 : own;

describe('berth of an ordinary user', function () {
  this.timeout(180_000);
  // A checkout in the home of another account is not readable.
  const program = temporaryPath('berth-program-');
  const gid = statSync('/var/run/docker.sock').gid;
  const account = { uid, gid, cli: join(program, 'dist', 'cli.js') };
  const berth = new Berth(own === 0 ? account : undefined);
  const name = `${berth.prefix}-ws`;
  const local = (file: string) => join(berth.folder, file);

  before(async () => {
    mkdirSync(program, { mode: 0o700 });
    const from = dirname(distribution());
    for (const part of ['dist', 'images', 'media', 'package.json']) {
      cpSync(join(from, part), join(program, part), { recursive: true });
    }
    for (const file of own === 0
      ? ['', ...readdirSync(program, { recursive: true, encoding: 'utf8' })]
      : []) {
      chownSync(join(program, file), uid, gid);
    }
    await berth.ok('create', name, '-v', `${berth.prefix}-data:/data`);
  });

  after(async () => {
    await berth.dispose();
    rmSync(program, { recursive: true, force: true });
  });

  it('finds nothing wrong with the machine', async () => {
    const { stdout } = await berth.run(['doctor']);
    assert.match(stdout, /✓ Containers: Docker/);
    assert.match(stdout, /✓ OpenSSH client/);
  });

  it('runs commands, over SSH as well, and writes to its volumes', async () => {
    assert.equal(await berth.ok('exec', name, '--', 'sh', '-c', 'echo a >/data/a && cat /data/a'), 'a\n');
    assert.equal(await berth.ok('ssh', name, '--', 'id -un'), 'workspace\n');
  });

  it('copies in and out, what comes out being its own', async () => {
    mkdirSync(local('tree'));
    writeFileSync(local('tree/file'), 'content');
    for (const file of ['tree', 'tree/file']) {
      chownSync(local(file), uid, gid);
    }
    await berth.ok('cp', local('tree'), `${name}:up`);
    await berth.ok('cp', `${name}:up`, `${name}:/data/b`);
    await berth.ok('cp', `${name}:/data/b`, local('back'));
    const { uid: owner, size } = statSync(local('back/file'));
    assert.deepEqual([owner, size], [uid, 7]);
  });

  it('goes through all states and loses nothing', async () => {
    for (const verb of ['pause', 'resume', 'stop', 'start', 'archive', 'restore', 'restart']) {
      await berth.ok(verb, name);
    }
    await berth.ok('rebuild', name, '--yes');
    assert.equal(await berth.ok('cat', `${name}:up/file`), 'content');
    assert.equal(await berth.ok('cat', `${name}:/data/a`), 'a\n');
    assert.equal((await berth.json<Workspace>('info', name)).state, 'running');
  });

  it('deletes it, and has nothing of anybody else in its state directory', async () => {
    await berth.ok('delete', name, '--yes');
    const files = readdirSync(berth.home, { recursive: true, encoding: 'utf8' });
    const foreign = files.filter((file) => statSync(join(berth.home, file)).uid !== uid);
    assert.deepEqual(foreign, []);
    assert.deepEqual(await berth.volumes(), [`${berth.prefix}-data`]);
  });
});
