import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  SshAgent,
  sshArguments,
} from '../../../../../../src/backend/drivers/containers/engine/ssh-transport';
import { sshFailure } from '../../../../../../src/backend/drivers/containers/engine/ssh-failure';
import { isConnectionError } from '../../../../../../src/backend/drivers/containers/engine/docker-errors';

const relay = `
const { connect } = require('node:net');
const engine = connect(process.env.TEST_ENGINE);
engine.on('error', () => process.exit(1));
process.stdin.pipe(engine);
engine.pipe(process.stdout);
`;

describe('drivers/containers/engine/ssh-transport', () => {
  let folder: string;
  let server: Server;
  let connections = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ssh-'));
    await writeFile(join(folder, 'relay.js'), relay);
    server = createServer((asked, answer) => {
      const chunks: Buffer[] = [];
      asked.on('data', (chunk: Buffer) => chunks.push(chunk));
      asked.on('end', () => answer.end(Buffer.concat(chunks).toString().toUpperCase()));
    });
    server.on('connection', () => (connections += 1));
    server.on('upgrade', (_asked, socket) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('end', () => socket.end(Buffer.concat(chunks).toString().toUpperCase()));
    });
    server.listen(join(folder, 'engine.sock'));
    process.env.TEST_ENGINE = join(folder, 'engine.sock');
  });
  after(async () => {
    delete process.env.TEST_ENGINE;
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Stands in for ssh: whatever its arguments are, it runs this. */
  const standIn = async (script: string): Promise<string> => {
    const path = join(folder, `ssh-${Math.random().toString(36).slice(2)}`);
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  };
  const relayed = () => standIn(`exec ${process.execPath} ${join(folder, 'relay.js')}`);

  const ask = (agent: SshAgent, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = request({ host: 'docker.invalid', method: 'POST', path: '/', agent }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve(text));
      });
      call.on('error', reject).end(body);
    });

  it('carries calls, and keeps connections for the next ones, not more than a few', async () => {
    const agent = new SshAgent({ host: 'box' }, await relayed());
    try {
      connections = 0;
      assert.equal(await ask(agent, 'first'), 'FIRST');
      assert.equal(await ask(agent, 'second'), 'SECOND');
      assert.equal(connections, 1);
      const many = Array.from({ length: 12 }, (_, index) => `call ${index}`);
      const answers = await Promise.all(many.map((body) => ask(agent, body)));
      assert.deepEqual(
        answers,
        many.map((body) => body.toUpperCase()),
      );
      const idle = Object.values(agent.freeSockets).flatMap((sockets = []) => sockets);
      assert.ok(idle.length >= 1 && idle.length <= 4, `${idle.length} are kept`);
    } finally {
      agent.destroy();
    }
  });

  it('carries a stream of both directions, each with its own end', async () => {
    const agent = new SshAgent({ host: 'box' }, await relayed());
    const headers = { connection: 'Upgrade', upgrade: 'tcp' };
    const call = request({ host: 'docker.invalid', method: 'POST', path: '/', agent, headers }).end();
    const [, stream] = (await once(call, 'upgrade')) as [IncomingMessage, import('node:stream').Duplex];
    const large = 'x'.repeat(3_000_000);
    stream.end(large);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
    }
    assert.ok(Buffer.concat(chunks).toString() === large.toUpperCase());
    agent.destroy();
  });

  it('fails with what ssh said, and with what to do', async () => {
    const said: readonly (readonly [string, RegExp, RegExp])[] = [
      ['Host key verification failed.', /host key/, /`ssh me@box`/],
      ['me@box: Permission denied (publickey,password).', /without a password/, /ssh-copy-id/],
      ['sh: 1: docker: not found', /no `docker` command/, /Install Docker there/],
      ['bash: line 1: docker: command not found', /no `docker` command/, /Install Docker there/],
      [
        'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.',
        /does not answer/,
        /docker version/,
      ],
      ['ssh: connect to host box port 22: Connection refused', /can not be reached/, /`ssh me@box true`/],
      ['ssh: Could not resolve hostname box: Name or service not known', /can not be reached/, /true/],
      ['something else', /something else/, /docker version/],
    ];
    for (const [stderr, message, hint] of said) {
      const program = await standIn(`echo '${stderr}' >&2; exit 255`);
      const agent = new SshAgent({ user: 'me', host: 'box' }, program);
      await assert.rejects(ask(agent, ''), (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, 'runtime_unavailable');
        assert.ok(error.message.includes(stderr.replace(/\.$/, '')), error.message);
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        assert.ok(isConnectionError(error));
        return true;
      });
      agent.destroy();
    }
    const saidToPodman: readonly (readonly [string, RegExp, RegExp])[] = [
      ['sh: 1: podman: not found', /neither a `docker` nor a `podman` command/, /or Podman/],
      [
        'Error: unable to connect to Podman socket: dial unix ///run/podman/podman.sock: connect: no such file or directory',
        /the Podman of that machine does not answer/,
        /podman\.socket/,
      ],
      [
        'Error: unable to connect to Podman socket: dial unix /run/podman.sock: connect: permission denied',
        /may not use the Podman/,
        /your own user/,
      ],
      ['something else', /something else/, /podman version/],
    ];
    for (const [stderr, message, hint] of saidToPodman) {
      const failed = sshFailure({ host: 'box' }, { code: 125, signal: null, stderr }, 'podman');
      assert.match(failed.message, message);
      assert.match(failed.hint ?? '', hint);
    }
    const missing = new SshAgent({ host: 'box' }, join(folder, 'no-such-ssh'));
    await assert.rejects(ask(missing, ''), { code: 'not_supported', hint: /OpenSSH/ });
    const silent = sshFailure({ host: 'box', port: 2222 }, { code: null, signal: 'SIGKILL', stderr: '' });
    assert.match(silent.message, /-p 2222 box: ssh was ended by SIGKILL/);
  });

  it('gives ssh its words as arguments, the machine last and as nothing else', () => {
    const all = sshArguments({ user: 'me', host: 'box', port: 2222, socketPath: '/run/docker.sock' });
    const end = ['docker', '--host', 'unix:///run/docker.sock', 'system', 'dial-stdio'];
    assert.deepEqual(all.slice(all.indexOf('--')), ['--', 'box', ...end]);
    assert.deepEqual(all.slice(all.indexOf('-l'), all.indexOf('--')), ['-l', 'me', '-p', '2222']);
    assert.ok(all.includes('BatchMode=yes'));
    const podman = sshArguments({ host: 'box', socketPath: '/run/podman.sock' }, [], 'podman');
    assert.deepEqual(podman.slice(-5), [
      'podman',
      '--url',
      'unix:///run/podman.sock',
      'system',
      'dial-stdio',
    ]);
    assert.deepEqual(sshArguments({ host: 'box' }).slice(-5), [
      '--',
      'box',
      'docker',
      'system',
      'dial-stdio',
    ]);
  });
});
