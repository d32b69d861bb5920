/** Who is on the other side of a port, and how that stays so: host keys, ports, the user's own config. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { socketPath } from '../../../src/api/rules/endpoint';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { occupy, vacate } from '../../support/ports';
import { listeningAddresses } from '../../support/engine/census';
import { runProgram, succeed } from '../../support/programs';
import { spoilingSsh } from '../../support/programs/spoiling-ssh';
import { itMostlyOfEngine, testTimeoutMs } from '../../support/runtimes/columns';

describe('ssh: identity', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;

  before(async () => {
    ({ name } = await harness().create());
  });

  const target = () => harness().client.call('workspaces.ssh', { params: { name } });
  const answers = async () => assert.equal(await harness().ssh(name, ['echo', 'here']), 'here');

  it('shows the host key that the server really has', async () => {
    const { hostKey, port } = await target();
    const scanned = await succeed('ssh-keyscan', ['-t', 'ed25519', '-p', String(port), '127.0.0.1']);
    assert(scanned.includes(hostKey), scanned);
  });

  it('gives an argv that logs in', async () => {
    const { command } = await target();
    const [program = '', ...argv] = command;
    assert.equal(await succeed(program, [...argv, 'echo', 'in']), 'in');
  });

  it("logs in whatever the user's own config has for all hosts", async () => {
    const { configFile, alias } = await target();
    const user = join(harness().folder, 'spoiled');
    const all = Object.entries(spoilingSsh).map(([keyword, value]) => `  ${keyword} ${value}\n`);
    await writeFile(user, `Include "${harness().plainly(configFile)}"\nHost *\n${all.join('')}`);
    assert.equal(await succeed('ssh', ['-F', user, alias, 'echo in']), 'in');
    assert.notEqual((await runProgram('ssh', ['-F', user, 'other', 'true'])).code, 0);
  });

  it('refuses a server with another host key', async () => {
    const other = join(harness().folder, 'other');
    await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    const key = (await readFile(`${other}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
    const known = join(harness().folder, 'wrong_known_hosts');
    await writeFile(known, `berth-${name} ${key}\n`);
    const argv = ['-o', `UserKnownHostsFile=${known}`, ...harness().sshOptions(), `berth-${name}`, 'true'];
    const { code, stderr } = await runProgram('ssh', argv);
    assert.equal(code, 255);
    assert.match(stderr, /HOST IDENTIFICATION HAS CHANGED|Host key verification failed/);
  });

  it('refuses an unknown server, another key and other users', async () => {
    const { port, ...files } = await target();
    const knownHostsFile = harness().plainly(files.knownHostsFile);
    const identityFile = harness().plainly(files.identityFile);
    const other = join(harness().folder, 'other');
    const attempt = async (options: string[], user = 'workspace') => {
      const common = [
        '-F',
        'none',
        '-o',
        'BatchMode=yes',
        '-o',
        'IdentitiesOnly=yes',
        '-o',
        'IdentityAgent=none',
      ];
      const where = ['-p', String(port), ...options, `${user}@127.0.0.1`, 'true'];
      return (await runProgram('ssh', [...common, ...where])).stderr;
    };
    const known = ['-o', `UserKnownHostsFile=${knownHostsFile}`, '-o', `HostKeyAlias=berth-${name}`];
    const strict = ['-o', 'StrictHostKeyChecking=yes'];
    const none = ['-o', 'UserKnownHostsFile=/dev/null'];
    assert.match(await attempt([...none, ...strict, '-i', identityFile]), /Host key verification failed/);
    assert.match(await attempt([...known, ...strict, '-i', other]), /Permission denied \(publickey\)/);
    for (const user of ['nobody', 'root']) {
      assert.match(
        await attempt([...known, ...strict, '-i', identityFile], user),
        /Permission denied \(publickey\)/,
        user,
      );
    }
  });

  it('listens on loopback only', async () => {
    const { port } = await target();
    assert.deepEqual(await listeningAddresses(port), ['0100007F']);
  });

  it('keeps host key and port over stop, archive, rebuild and a killed engine', async () => {
    const before = await target();
    await harness().verb('stop', name);
    assert.deepEqual(await target(), before);
    const other = await harness().create({ start: false });
    assert.notEqual(other.sshPort, before.port, 'reserved while stopped');
    await harness().delete(other.name);
    await harness().killAndRestart();
    await harness().verb('archive', name);
    await harness().verb('restore', name);
    await answers();
    const rebuild = await harness().client.call('workspaces.rebuild', {
      params: { name },
      body: { confirm: true },
    });
    await harness().done(rebuild);
    assert.deepEqual(await target(), before);
    await answers();
  });

  itMostlyOfEngine('moves to another port when somebody took it meanwhile, and says so', async () => {
    const { port } = await target();
    const asRoot = (script: string) => harness().exec(name, ['sh', '-c', script], { user: 'root' });
    await asRoot(
      'mkdir -m 711 /opt/own; echo mine >/opt/own/file; chown 5:6 /opt/own/file; rm /etc/motd; sync',
    );
    await harness().verb('stop', name);
    const squatter = await occupy(port, '127.0.0.1');
    try {
      await harness().verb('start', name);
      const { sshPort, warnings } = await harness().workspace(name);
      assert.notEqual(sshPort, port);
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ['port-moved'],
      );
      assert.match(warnings[0]?.message ?? '', new RegExp(`${port}.*${sshPort}`));
      await answers();
      const kept =
        'stat -c %a:%u:%g /opt/own /opt/own/file; cat /opt/own/file; test ! -e /etc/motd && echo none';
      assert.equal((await asRoot(kept)).trim(), '711:0:0\n644:5:6\nmine\nnone');
      assert.match(
        await readFile(join(harness().home, 'ssh/config'), 'utf8'),
        new RegExp(`Port ${sshPort}\\b`),
      );
    } finally {
      await vacate(squatter);
    }
    await harness().verb('restart', name);
    assert.deepEqual((await harness().workspace(name)).warnings, [], 'told once');
    await answers();
  });

  it('does not move for a port that its own runtime has', async () => {
    const { port } = await target();
    await harness().verb('restart', name);
    assert.equal((await target()).port, port);
  });

  it("adds one line to the user's config, once, and nothing else changes", async () => {
    const folder = join(harness().folder, 'user');
    await mkdir(folder);
    const own = 'Host *\n  ServerAliveInterval 30\n';
    await writeFile(join(folder, 'real'), own);
    await chmod(join(folder, 'real'), 0o640);
    const userConfig = join(folder, 'config');
    await symlink('real', userConfig);
    const include = () => harness().client.call('ssh.include', { body: { userConfig } });
    assert.equal((await include()).included, true);
    assert.equal((await include()).included, true);
    const text = await readFile(userConfig, 'utf8');
    const [line, ...rest] = text.split('\n');
    assert.match(line ?? '', /^Include ".+\/ssh\/config"$/);
    assert.equal(rest.join('\n'), own);
    assert.equal((await stat(userConfig)).mode & 0o777, 0o640);
    const argv = ['-F', userConfig, '-o', 'BatchMode=yes', `berth-${name}`, 'echo', 'included'];
    assert.equal(await succeed('ssh', argv), 'included');
    await harness().verb('restart', name);
    assert.equal(await readFile(userConfig, 'utf8'), text);
  });

  it('keeps keys and config to the user', async () => {
    const mode = async (file: string) => (await stat(join(harness().home, file))).mode & 0o777;
    assert.equal(await mode('.'), 0o700);
    for (const file of [
      'keys/id_ed25519',
      `keys/hosts/${name}`,
      'ssh/config',
      'ssh/known_hosts',
      'settings.json',
    ]) {
      assert.equal(await mode(file), 0o600, file);
    }
    assert.equal((await stat(socketPath(harness().home))).mode & 0o777, 0o600);
    assert.equal(await mode('engine.log'), 0o600);
  });

  itLeavesNothing(harness);
});
