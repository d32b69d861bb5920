import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server as SocketServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, utils, type Connection } from 'ssh2';
import { until } from '../../../../../support/wait';
import { SshLink } from '../../../../../../src/backend/drivers/microvms/guest/ssh-link';

describe("the engine's way into a guest", () => {
  let folder: string;
  let port: SocketServer;
  let isDeaf = false;
  let isEndless = false;
  /** What happens instead of an answer, when a channel is asked for, and when a command is. */
  const unheard: (() => void)[] = [];
  let unanswered = 0;
  let commands = 0;
  let requests = 0;
  const reports: string[] = [];
  let connections = 0;
  let latest: Socket | undefined;
  /** What happens on the next connections instead of an answer. */
  const silent: ((socket: Socket) => void)[] = [];
  /** Said of a server before, once, right behind the greeting. */
  let late: string | undefined;
  const host = utils.generateKeyPairSync('ed25519');
  const engine = utils.generateKeyPairSync('ed25519');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-link-'));
    const server = new Server({ hostKeys: [host.private] }, (client) => serve(client));
    port = createServer((socket) => {
      connections += 1;
      latest = socket;
      const instead = silent.shift();
      if (instead !== undefined) {
        instead(socket);
        return;
      }
      if (late !== undefined) {
        socket.write('SSH-2.0-before\r\n');
        const words = late;
        setTimeout(() => socket.write(words), 100);
        late = undefined;
        return;
      }
      server.injectSocket(socket);
    });
    port.listen(join(folder, 'ssh'));
    await once(port, 'listening');
  });
  after(async () => {
    port.close();
    await rm(folder, { recursive: true });
  });

  function serve(client: Connection): void {
    client.on('error', () => undefined);
    client.on('authentication', (attempt) => attempt.accept());
    client.on('request', (_, reject) => {
      requests += 1;
      reject?.();
    });
    client.on('session', (accept) => {
      const instead = unheard.shift();
      if (isDeaf || instead !== undefined) {
        instead?.();
        return;
      }
      accept().on('exec', (take) => {
        commands += 1;
        if (unanswered > 0) {
          unanswered -= 1;
          return;
        }
        const channel = take();
        if (isEndless) {
          return;
        }
        channel.exit(7);
        channel.end();
      });
    });
  }

  const link = (ended = new Promise<void>(() => undefined)): SshLink =>
    new SshLink({
      socket: join(folder, 'ssh'),
      serve: () => Promise.resolve({ ended }),
      privateKey: () => Promise.resolve(engine.private),
      openTimeoutMs: 300,
      report: (message) => reports.push(message),
    });

  it('carries commands over one connection, and tells how they ended', async () => {
    const way = link();
    try {
      connections = 0;
      for (let round = 0; round < 3; round += 1) {
        const { channel, ended } = await way.run('exit 7', {});
        channel.resume();
        assert.equal(await ended, 7);
      }
      assert.equal(connections, 1);
    } finally {
      way.close();
    }
  });

  it('connects anew when the words of a server before come in between', async () => {
    const way = link();
    try {
      [connections, late] = [0, 'SSH-2.0-OpenSSH_9.2 and what it says then'];
      const { channel, ended } = await way.run('exit 7', {});
      channel.resume();
      assert.deepEqual([await ended, connections], [7, 2]);
    } finally {
      way.close();
    }
  });

  it('gives up commands whose server is gone, which the port does not show, and connects anew', async () => {
    let end = (): void => undefined;
    const way = link(new Promise((resolve) => (end = resolve)));
    try {
      connections = 0;
      isEndless = true;
      const { channel, ended } = await way.run('endless', {});
      channel.resume();
      end();
      assert.equal(await ended, undefined);
      isEndless = false;
    } finally {
      isEndless = false;
      way.close();
    }
    const next = link();
    try {
      const { channel, ended } = await next.run('exit 7', {});
      channel.resume();
      assert.equal(await ended, 7);
    } finally {
      next.close();
    }
  });

  it('does not wait for ever for who does not answer, and connects anew for the next command', async () => {
    const way = link();
    try {
      isDeaf = true;
      await assert.rejects(way.run('true', {}), {
        code: 'timeout',
        message: /0\.3 s waiting for the guest to begin/,
      });
      isDeaf = false;
      const { channel, ended } = await way.run('exit 7', {});
      channel.resume();
      assert.equal(await ended, 7);
    } finally {
      isDeaf = false;
      way.close();
    }
  });

  it('goes on though the guest does not see what it was sent until something else comes', async () => {
    const relay = createServer((socket) => {
      const onward = connect(join(folder, 'ssh'));
      [socket, onward].forEach((end) => end.on('error', () => undefined));
      onward.pipe(socket);
      let last = 0;
      socket.on('data', (chunk: Buffer) => {
        const now = performance.now();
        if (held !== undefined && (held.length === 0 || now - last < 200)) {
          held.push(chunk);
        } else {
          (held ?? []).concat(chunk).forEach((each) => onward.write(each));
          held = undefined;
        }
        last = now;
      });
      socket.on('close', () => onward.destroy());
    });
    let held: Buffer[] | undefined;
    relay.listen(join(folder, 'lossy'));
    await once(relay, 'listening');
    const way = new SshLink({
      socket: join(folder, 'lossy'),
      serve: () => Promise.resolve({ ended: new Promise<void>(() => undefined) }),
      privateKey: () => Promise.resolve(engine.private),
      nudgeMs: 300,
    });
    try {
      await way.open();
      held = [];
      const began = performance.now();
      const { channel, ended } = await way.run('exit 7', {});
      assert.equal(held, undefined);
      assert(performance.now() - began < 15_000);
      channel.resume();
      assert.equal(await ended, 7);
    } finally {
      way.close();
      relay.close();
    }
  });

  it('asks once whether all was read that was sent, and nothing while nothing is sent or runs', async () => {
    const way = new SshLink({
      socket: join(folder, 'ssh'),
      serve: () => Promise.resolve({ ended: new Promise<void>(() => undefined) }),
      privateKey: () => Promise.resolve(engine.private),
      // The answer takes several turns of the loop, which are slow on a busy machine.
      nudgeMs: 100,
    });
    try {
      [requests, isEndless] = [0, true];
      const { channel, ended } = await way.run('endless', {});
      channel.resume();
      await until('it has asked', () => requests === 1);
      await sleep(1_000);
      assert.equal(requests, 1);
      channel.write('more');
      await until('it has asked again', () => requests === 2);
      channel.close();
      await ended;
      const atEnd = requests;
      await sleep(500);
      assert.equal(requests, atEnd);
    } finally {
      isEndless = false;
      way.close();
    }
  });

  it('tries a command that never began once more, on a new connection, and reports that', async () => {
    const way = link();
    try {
      await way.open();
      [connections, commands] = [0, 0];
      reports.length = 0;
      unheard.push(() => undefined);
      const { channel, ended } = await way.run('exit 7', {});
      channel.resume();
      assert.equal(await ended, 7);
      assert.deepEqual([connections, commands], [1, 1]);
      assert.match(reports.join('\n'), /^A command is tried on a new connection.*Timed out after 0\.3 s/);
    } finally {
      unheard.length = 0;
      way.close();
    }
  });

  it('tries it once more also when the connection ends before the guest has heard of it', async () => {
    const way = link();
    try {
      await way.open();
      [connections, commands] = [0, 0];
      unheard.push(() => latest?.destroy());
      const { channel, ended } = await way.run('exit 7', {});
      channel.resume();
      assert.deepEqual([await ended, connections, commands], [7, 1, 1]);
    } finally {
      unheard.length = 0;
      way.close();
    }
  });

  it('does not try again what the guest may have begun', async () => {
    const way = link();
    try {
      await way.open();
      [connections, commands, unanswered] = [0, 0, 1];
      reports.length = 0;
      await assert.rejects(way.run('true', {}), { code: 'timeout' });
      assert.deepEqual([connections, commands, reports], [0, 1, []]);
    } finally {
      unanswered = 0;
      way.close();
    }
  });

  it('connects anew when a server has ended without a word, and not when the machine has', async () => {
    let end = (): void => undefined;
    const way = new SshLink({
      socket: join(folder, 'ssh'),
      serve: () => Promise.resolve({ ended: new Promise<void>((resolve) => (end = resolve)) }),
      privateKey: () => Promise.resolve(engine.private),
    });
    try {
      connections = 0;
      silent.push(() => setTimeout(() => end(), 20));
      const { channel, ended } = await way.run('exit 7', {});
      channel.resume();
      assert.equal(await ended, 7);
      assert.equal(connections, 2);
    } finally {
      way.close();
    }
    silent.push((socket) => socket.end());
    await assert.rejects(link().open(), { code: 'runtime_unavailable', message: /machine ended/ });
  });
});
