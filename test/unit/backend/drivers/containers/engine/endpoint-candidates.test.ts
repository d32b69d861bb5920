import assert from 'node:assert/strict';
import { parseDockerHost } from '../../../../../../src/api/rules/docker-host';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCandidates } from '../../../../../../src/backend/drivers/containers/engine/endpoint-candidates';
import type { HostEnvironment } from '../../../../../../src/backend/machine/host-environment';
import { productOf } from '../../../../../../src/backend/drivers/containers/engine/open-connection';

describe('where a container engine may be', () => {
  let home: string;
  before(async () => (home = await mkdtemp(join(tmpdir(), 'berth-home-'))));
  after(() => rm(home, { recursive: true, force: true }));
  const around = (
    env: HostEnvironment['env'] = {},
    platform: NodeJS.Platform = 'linux',
  ): HostEnvironment => ({
    env,
    home,
    platform,
    uid: 1000,
  });
  const hosts = async (setting: string | undefined, environment: HostEnvironment): Promise<string[]> =>
    (await findCandidates(setting, environment)).map(({ host }) => host);

  const writeContext = async (name: string, host: string, more: object = {}): Promise<string> => {
    const folder = createHash('sha256').update(name).digest('hex');
    const meta = join(home, '.docker', 'contexts', 'meta', folder);
    await mkdir(meta, { recursive: true });
    await writeFile(
      join(meta, 'meta.json'),
      JSON.stringify({ Name: name, Endpoints: { docker: { Host: host, ...more } } }),
    );
    return folder;
  };

  it('is where the user says, and nowhere else', async () => {
    assert.deepEqual(await hosts('unix:///mine', around({ DOCKER_HOST: 'unix:///env' })), ['unix:///mine']);
    assert.deepEqual(await hosts('', around({ DOCKER_HOST: 'unix:///env' })), ['unix:///env']);
  });

  it('has certificates only for TCP, and only when they are asked for', async () => {
    const env = { DOCKER_HOST: 'tcp://h:2376', DOCKER_CERT_PATH: '/certs' };
    assert.equal((await findCandidates(undefined, around(env)))[0]?.tls, undefined);
    const verified = { ...env, DOCKER_TLS_VERIFY: '1' };
    assert.deepEqual((await findCandidates(undefined, around(verified)))[0]?.tls, {
      folder: '/certs',
      isVerified: true,
    });
    const encrypted = { ...env, DOCKER_TLS: '1' };
    assert.deepEqual((await findCandidates(undefined, around(encrypted)))[0]?.tls, {
      folder: '/certs',
      isVerified: false,
    });
    const folderOf = async (more: Record<string, string>) =>
      (
        await findCandidates(undefined, around({ DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1', ...more }))
      )[0]?.tls?.folder;
    assert.match((await folderOf({})) ?? '', /\/\.docker$/, 'where docker itself looks');
    assert.equal(await folderOf({ DOCKER_CONFIG: '/settings' }), '/settings');
    const socket = { ...verified, DOCKER_HOST: 'unix:///s' };
    assert.equal((await findCandidates(undefined, around(socket)))[0]?.tls, undefined);
  });

  it('is looked for in the usual places: Docker before Podman, on each system', async () => {
    const found = await hosts(undefined, around({ XDG_RUNTIME_DIR: '/run/me' }));
    assert.equal(found[0], 'unix:///var/run/docker.sock');
    assert.ok(found.includes('unix:///run/me/docker.sock'));
    assert.ok(found.includes(`unix://${home}/.colima/default/docker.sock`));
    assert.ok(
      found.indexOf('unix:///run/me/podman/podman.sock') > found.indexOf('unix:///run/me/docker.sock'),
    );
    assert.deepEqual(await hosts(undefined, around({}, 'win32')), [
      'npipe:////./pipe/docker_engine',
      'npipe:////./pipe/podman-machine-default',
    ]);
  });

  it('is the one of the docker context in use, with its certificates', async () => {
    const folder = await writeContext('away', 'tcp://10.0.0.1:2376');
    await writeContext('near', 'unix:///near.sock');
    await writeFile(join(home, '.docker', 'config.json'), JSON.stringify({ currentContext: 'away' }));
    const tls = join(home, '.docker', 'contexts', 'tls', folder, 'docker');
    assert.deepEqual((await findCandidates(undefined, around()))[0], {
      host: 'tcp://10.0.0.1:2376',
      origin: 'the docker context "away"',
    });
    await mkdir(tls, { recursive: true });
    await writeFile(join(tls, 'ca.pem'), 'x');
    assert.deepEqual((await findCandidates(undefined, around()))[0]?.tls, { folder: tls, isVerified: true });
    await writeContext('away', 'tcp://10.0.0.1:2376', { SkipTLSVerify: true });
    assert.deepEqual((await findCandidates(undefined, around()))[0]?.tls, { folder: tls, isVerified: false });
    assert.equal((await hosts(undefined, around({ DOCKER_CONTEXT: 'near' })))[0], 'unix:///near.sock');
    const standard = await hosts(undefined, around({ DOCKER_CONTEXT: 'default' }));
    assert.equal(standard[0], 'unix:///var/run/docker.sock');
    const unknown = await hosts(undefined, around({ DOCKER_CONTEXT: 'no-such' }));
    assert.equal(unknown[0], 'unix:///var/run/docker.sock');
  });

  it('is reached by socket, pipe or TCP; everything else is explained', () => {
    assert.deepEqual(parseDockerHost('unix:///a/b.sock'), { socketPath: '/a/b.sock' });
    assert.deepEqual(parseDockerHost('npipe:////./pipe/docker_engine'), {
      socketPath: '//./pipe/docker_engine',
    });
    assert.deepEqual(parseDockerHost('tcp://host'), { host: 'host', port: 2375 });
    assert.deepEqual(parseDockerHost('tcp://host:2376'), { host: 'host', port: 2376 });
    assert.deepEqual(parseDockerHost('tcp://host', true), { host: 'host', port: 2376 });
    assert.deepEqual(parseDockerHost('tcp://[::1]:23750'), { host: '::1', port: 23750 });
    const more = [
      'tcp://host/x',
      'tcp://host?x',
      'tcp://host#x',
      'tcp://host:0',
      'tcp://host:99999',
      'tcp://',
    ];
    for (const bad of ['', 'host', 'ftp://host', '/var/run/docker.sock', 'unix:///a\nb', ...more]) {
      assert.throws(() => parseDockerHost(bad), { code: 'bad_request', field: 'dockerHost' }, bad);
    }
  });

  it('is behind ssh by names that ssh and a shell take for nothing else', () => {
    assert.deepEqual(parseDockerHost('ssh://box'), { ssh: { host: 'box' } });
    assert.deepEqual(parseDockerHost('ssh://me@box.example.org:2222/'), {
      ssh: { user: 'me', host: 'box.example.org', port: 2222 },
    });
    assert.deepEqual(parseDockerHost('ssh://[fe80::1]/run/user/1000/docker.sock'), {
      ssh: { host: 'fe80::1', socketPath: '/run/user/1000/docker.sock' },
    });
    const options = ['-oProxyCommand=x', 'me@-oProxyCommand=x', '-l@box', 'box;id', 'box:0', 'box:70000'];
    const paths = ['box/a b', 'box/$(id)', "box/'", 'box/../x', 'box/a;id', 'box?x', 'me:secret@box', ''];
    for (const bad of [...options, ...paths]) {
      assert.throws(() => parseDockerHost(`ssh://${bad}`), { code: 'bad_request', field: 'dockerHost' }, bad);
    }
  });

  it('is never spoken to without the encryption that its address asks for', () => {
    assert.throws(() => parseDockerHost('https://host:2376'), {
      code: 'not_supported',
      hint: /DOCKER_CERT_PATH/,
    });
  });

  it('holds no password, and no error shows one', () => {
    for (const address of [
      'tcp://me:hunter2@host',
      'tcp://hunter2@host:2375',
      'ssh://me:hunter2@host',
      'https://hunter2@h',
    ]) {
      assert.throws(
        () => parseDockerHost(address),
        (error: Error) => !error.message.includes('hunter2'),
        address,
      );
    }
  });

  it('tells its product in the Server header', () => {
    assert.deepEqual(productOf('Docker/20.10.24+dfsg1 (linux)'), {
      product: 'Docker 20.10.24',
      isPodman: false,
    });
    assert.deepEqual(productOf('Libpod/4.3.1 (linux)'), { product: 'Podman 4.3.1', isPodman: true });
    assert.deepEqual(productOf(''), { product: 'Docker', isPodman: false });
  });
});
