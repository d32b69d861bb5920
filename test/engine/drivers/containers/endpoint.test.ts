import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerDriver } from '../../../../src/backend/drivers/containers/driver';
import type { DriverEvent } from '../../../../src/backend/drivers/driver';
import { eventually, imagesDirectory, quiet } from './support';

/** A socket that leads to the engine; it can go away, come back, or fall silent. */
class Relay {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  isSilent = false;

  constructor(readonly path: string) {}

  async open(): Promise<void> {
    this.server = createServer((client) => {
      this.sockets.add(client);
      client.on('error', () => undefined);
      if (this.isSilent) {
        return;
      }
      const engine = connect('/var/run/docker.sock');
      this.sockets.add(engine);
      engine.on('error', () => undefined).on('close', () => client.destroy());
      client.on('close', () => engine.destroy());
      client.pipe(engine).pipe(client);
    });
    await new Promise<void>((listening) => this.server?.listen(this.path, listening));
  }

  async close(): Promise<void> {
    this.sockets.forEach((socket) => socket.destroy());
    this.sockets.clear();
    await new Promise((closed) => this.server?.close(closed));
  }
}

describe('the connection to the container engine', function () {
  this.timeout(60_000);
  let folder: string;
  let relay: Relay;
  let driver: ContainerDriver;
  let host: string;
  const driverOf = (address: string): ContainerDriver => {
    host = address;
    return new ContainerDriver({
      installation: 'test-endpoint',
      imagesDirectory,
      log: quiet,
      dockerHost: () => host,
    });
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-relay-'));
    relay = new Relay(join(folder, 'engine.sock'));
    await relay.open();
    driver = driverOf(`unix://${relay.path}`);
  });
  afterEach(async () => {
    await driver.close();
    await relay.close().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  });

  it('is made again after the engine went away and came back', async () => {
    assert.equal((await driver.status()).available, true);
    await relay.close();
    await assert.rejects(driver.list(), { code: 'runtime_unavailable', hint: /Start Docker or Podman/ });
    const gone = await driver.status();
    assert.equal(gone.available, false);
    assert.match(gone.message ?? '', /No container engine answers/);
    assert.deepEqual(gone.remedies, [
      ...['choose-container-engine', 'start-container-engine', 'install-container-engine'],
    ]);
    await relay.open();
    assert.ok(Array.isArray(await driver.list()));
  });

  it('tells watchers that it was lost, and that it is back', async () => {
    const seen: boolean[] = [];
    const end = driver.watch((event: DriverEvent) => {
      if (event.type === 'connection') {
        seen.push(event.up);
      }
    });
    try {
      await eventually('the first connection', () => seen.length === 1);
      await relay.close();
      await eventually('the loss', () => seen.length === 2);
      await relay.open();
      await eventually('the return', () => seen.length === 3);
      assert.deepEqual(seen, [true, false, true]);
    } finally {
      end();
    }
  });

  it('is made to another engine, for watchers too, when the user names one', async () => {
    const seen: boolean[] = [];
    const end = driver.watch((event: DriverEvent) => {
      if (event.type === 'connection') {
        seen.push(event.up);
      }
    });
    try {
      await eventually('the first connection', () => seen.length === 1);
      host = `unix://${folder}/nothing.sock`;
      assert.equal((await driver.status()).available, false);
      await eventually('the loss', () => seen.length === 2);
      host = 'unix:///var/run/docker.sock';
      await eventually('the other connection', () => seen.length === 3);
      assert.deepEqual(seen, [true, false, true]);
      assert.equal((await driver.status()).endpoint, host);
    } finally {
      end();
    }
  });

  it('gives up on an engine that takes the connection and says nothing', async () => {
    relay.isSilent = true;
    const begin = Date.now();
    await assert.rejects(driver.list(), { code: 'runtime_unavailable', message: /no answer within 2000 ms/ });
    assert.ok(Date.now() - begin < 4000);
  });

  it('says what to do about an address that can not be used', async () => {
    await assert.rejects(driverOf('ssh://me@no-machine.invalid').list(), {
      code: 'runtime_unavailable',
      hint: /`ssh me@no-machine.invalid true`/,
    });
    await assert.rejects(driverOf('ssh://-oProxyCommand=id').list(), {
      code: 'bad_request',
      field: 'dockerHost',
    });
    await assert.rejects(driverOf('nonsense').list(), { code: 'bad_request', field: 'dockerHost' });
    await assert.rejects(driverOf('tcp://127.0.0.1:1').list(), {
      code: 'runtime_unavailable',
      ...{ message: /nothing listens there/, detail: /ECONNREFUSED/ },
    });
  });
});
