import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Berth } from './harness';

/** Makes a socket, in a folder of the shell. */
const odd = (path: string): string =>
  `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("${path}")'`;

describe('berth cp, ls, cat, rm: a path is what the shell inside finds there', function () {
  this.timeout(180_000);
  const berth = new Berth();
  const name = `${berth.prefix}-at`;
  const [data, nest] = [`${berth.prefix}-data`, `${berth.prefix}-nest`];
  const local = (...path: string[]): string => join(berth.folder, ...path);
  const inside = (...argv: string[]): Promise<string> =>
    berth.ok('exec', name, '--user', 'root', '--', 'sh', '-c', argv.join(' '));

  before(async () => {
    await berth.ok('create', name, '-v', `${data}:/data`, '-v', `${nest}:/home/workspace/nest`);
    await inside(
      'cd /home/workspace; echo data >/data/d; echo nest >nest/n; echo root >/opt/r; echo temp >/tmp/t;',
      'ln -s /data to-data; ln -s ../../data/d to-d; ln -s /opt/r to-r',
    );
    mkdirSync(local('tree', 'sub'), { recursive: true });
    writeFileSync(local('tree', 'sub', 'b'), 'b\n');
    symlinkSync('sub/b', local('tree', 'link'));
    writeFileSync(local('up'), 'up\n');
  });
  after(async () => {
    await berth.run(['delete', name, '--yes']);
    await berth.run(['volume', 'delete', data, nest, '--yes']);
    await berth.dispose();
  });

  it('reads in every mount, through links, and outside of all volumes', async () => {
    const paths = ['/data/d', 'to-data/d', 'to-d', 'nest/n', '/opt/r', 'to-r', '/tmp/t', '~/../../tmp/t'];
    const text = await berth.ok('cat', ...paths.map((path) => `${name}:${path}`));
    assert.equal(text, 'data\ndata\ndata\nnest\nroot\nroot\ntemp\ntemp\n');
    const missing = await berth.run(['cat', `${name}:/to-d`]);
    assert.match(missing.stderr, new RegExp(`hint: .*${name}:to-d`));
  });

  it('are told as they were typed, whichever volume they are in', async () => {
    await inside('cd /data; mkdir -p told; rm -f told/s; touch told/f;', odd('told/s'));
    const stderr = async (...argv: string[]): Promise<string> => (await berth.run(argv)).stderr;
    assert.match(
      await stderr('cat', `${name}:to-data/told`),
      new RegExp(`"${name}:to-data/told" is a folder`),
    );
    assert.match(await stderr('mkdir', `${name}:/data/told/f`), new RegExp(`"${name}:/data/told/f" exists`));
    assert.match(
      await stderr('ls', `${name}:/data/told/f/x`),
      new RegExp(`"${name}:/data/told/f/x", or a part`),
    );
    assert.match(await stderr('cp', 'up', `${name}:/data/told/f/x`), new RegExp(`"${name}:/data/told/f`));
    assert.match(
      await stderr('cp', 'up', `${name}:/data/none/x`),
      new RegExp(`no folder "${name}:/data/none"`),
    );
    assert.match(
      await stderr('rm', '-r', `${name}:/data/none`),
      new RegExp(`✗ Delete: .*"${name}:/data/none"`),
    );
    assert.match(
      await stderr('mv', `${name}:/data/told/f`, `${name}:/data/d`),
      new RegExp(`"${name}:/data/d" exists`),
    );
    // Of this machine, though the home has a path of that name.
    assert.match(await stderr('cp', '/nowhere', `${name}:`), /nothing at "\/nowhere" on this machine/);
    await berth.run(['cp', `${name}:/data/told`, 'told']);
    const left = await berth.run(['cp', '--force', `${name}:/data/told`, 'told']);
    assert.equal(left.code, 1);
    assert.ok(left.stderr.includes(`✗ ${name}:/data/told/s: `), left.stderr);
  });

  it('writes there, also onto another file system, and over a nested mount', async () => {
    await berth.ok('cp', 'up', `${name}:/tmp/up`);
    await berth.ok('cp', 'up', `${name}:/dev/shm/up`);
    await berth.ok('cp', 'tree', `${name}:/opt/new/`);
    await berth.ok('cp', 'up', `${name}:to-data/up`);
    mkdirSync(local('nest'));
    writeFileSync(local('nest', 'more'), 'more\n');
    await berth.ok('cp', 'nest', 'up', `${name}:`);
    const seen = await inside(
      'cat /tmp/up /dev/shm/up /opt/new/sub/b /data/up /home/workspace/nest/more /home/workspace/up;',
      'readlink /opt/new/link; cat /home/workspace/nest/n; ls -A /dev/shm',
    );
    assert.equal(seen, 'up\nup\nb\nup\nmore\nup\nsub/b\nnest\nup\n');
    assert.equal(await berth.ok('cat', `volume:${nest}:/more`), 'more\n');
    await berth.ok('mv', `${name}:/tmp/up`, `${name}:moved`);
    await berth.ok('rm', '-r', `${name}:/opt/new/sub`);
    assert.equal(await inside('ls -A /opt/new; cat /home/workspace/moved'), 'link\nup\n');
    const refused = await berth.run(['rm', '-r', `${name}:/home`]);
    assert.match(refused.stderr, /is mounted at \/home\/workspace\/nest/);
    assert.equal((await berth.run(['cp', 'up', `${name}:/.berth/x`])).code, 1);
  });

  it('has what the kernel says, writes into what is mounted, and makes what the user can change', async () => {
    const version = await inside('cat /proc/version');
    assert.equal(await berth.ok('cat', `${name}:/proc/version`), version);
    await berth.ok('cp', `${name}:/proc/version`, `${name}:/sys/kernel/uevent_seqnum`, '.');
    assert.equal(readFileSync(local('version'), 'utf8'), version);
    assert.match(readFileSync(local('uevent_seqnum'), 'utf8'), /^\d+\n$/);
    await berth.ok('cp', '--force', 'up', `${name}:/etc/hosts`);
    assert.equal(await inside('cat /etc/hosts; ls -A / | grep berth-; true'), 'up\n');
    await berth.ok('mkdir', `${name}:/tmp/made`);
    await berth.ok('cp', 'up', `${name}:/tmp/mine`);
    await berth.ok('exec', name, '--', 'sh', '-c', 'rmdir /tmp/made && echo >>/tmp/mine && rm /tmp/mine');
    const { stdout, stderr, code } = await berth.run(['cp', '--force', 'up', `${name}:/dev/null`]);
    assert.equal(code, 1);
    assert.doesNotMatch(stdout + stderr, /(✓|^ok) Copy up/mu);
  });

  it('removes and moves nothing but what is named: not what a link leads to, nor a folder above', async () => {
    await inside('cd /home/workspace; mkdir -p kept/in; echo kept >kept/f; ln -s kept to-kept');
    for (const path of ['to-kept/', 'kept/in/..', 'kept/.', 'kept/f/']) {
      assert.notEqual((await berth.run(['rm', '-r', `${name}:${path}`])).code, 0, path);
      assert.notEqual((await berth.run(['mv', `${name}:${path}`, `${name}:gone`])).code, 0, path);
    }
    assert.equal(await inside('cd /home/workspace; ls -A kept; readlink to-kept'), 'f\nin\nkept\n');
    await berth.ok('rm', '-r', `${name}:to-kept`);
    await berth.ok('rm', '-r', `${name}:kept/`);
  });

  it('copies a whole home with what is mounted in it, and an output from anywhere', async () => {
    await berth.run(['cp', `${name}:`, 'home']);
    assert.equal(readFileSync(local('home', 'nest', 'n'), 'utf8'), 'nest\n');
    await berth.ok('exec', name, '--output', 'o=/opt/r', '--output', 'p=to-data/d', '--', 'true');
    assert.deepEqual(
      [readFileSync(local('o'), 'utf8'), readFileSync(local('p'), 'utf8')],
      ['root\n', 'data\n'],
    );
  });

  it('reads what a stopped container has, and says how to change it', async () => {
    await berth.ok('stop', name);
    assert.equal(
      await berth.ok('cat', `${name}:/opt/r`, `${name}:to-r`, `${name}:to-d`),
      'root\nroot\ndata\n',
    );
    assert.match(await berth.ok('ls', `${name}:/opt`), /^new\/\nr\n$/);
    await berth.ok('cp', `${name}:/opt`, 'opt');
    assert.deepEqual(readdirSync(local('opt')).sort(), ['new', 'r']);
    await berth.ok('cp', `${name}:/opt/r`, `${name}:nest/from-root`);
    await berth.ok('cp', 'tree', `${name}:`);
    assert.equal(await berth.ok('cat', `volume:${nest}:/from-root`), 'root\n');
    const refused = await berth.run(['cp', 'up', `${name}:/opt/`]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /can be read, not changed\.\nhint: Start it: `berth start/);
  });

  it('names the sockets in what a stopped container has', async () => {
    await berth.ok('start', name);
    const bind =
      'import os, socket; os.mkdir("/opt/s"); socket.socket(socket.AF_UNIX).bind("/opt/s/a socket")';
    await berth.ok('exec', name, '--user', '0:0', '--', '/.berth/bin/python3', '-c', bind);
    await berth.ok('stop', name);
    const { stderr } = await berth.run(['cp', `${name}:/opt`, 'with-socket']);
    assert.match(stderr, /:\/opt\/s\/a socket: it is neither a file, a folder nor a link\n/);
    assert.deepEqual(readdirSync(local('with-socket', 's')), []);
    const alone = await berth.run(['cp', `${name}:/opt/s/a socket`, 'alone']);
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, /:\/opt\/s\/a socket: it is neither a file, a folder nor a link\n/);
    assert.ok(!readdirSync(local()).includes('alone'));
    assert.equal(await berth.ok('ls', `${name}:/opt/s/a socket`), 'a socket\n');
  });
});
