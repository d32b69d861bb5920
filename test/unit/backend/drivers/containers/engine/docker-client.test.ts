/** The client library against a daemon that lies, on real sockets. */
import assert from 'node:assert/strict';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import type Dockerode from 'dockerode';
import {
  checkPath,
  dockerClient,
} from '../../../../../../src/backend/drivers/containers/engine/docker-client';
import { useTempFolder } from '../../../../../support/temp';
import { until } from '../../../../../support/wait';

describe('containers/engine/docker-client', () => {
  const folder = useTempFolder();
  const servers: Server[] = [];
  let asked: string[] = [];
  let elsewhere: string[] = [];
  let trap = '';
  let docker: Dockerode;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let upgraded: Duplex | undefined;

  beforeEach(async () => {
    [asked, elsewhere] = [[], []];
    answer = (_, response) => void response.writeHead(404).end('{"message":"not here"}');
    const daemon = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      answer(request, response);
    });
    daemon.on('upgrade', (_, socket) => {
      upgraded = socket;
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    });
    const other = createServer((request, response) => {
      elsewhere.push(request.url ?? '');
      response.end('{}');
    });
    servers.push(daemon, other);
    const socketPath = join(folder(), 'docker.sock');
    await new Promise<void>((done) => daemon.listen(socketPath, done));
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    trap = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    docker = dockerClient({ socketPath });
  });
  afterEach(() => {
    upgraded?.destroy();
    servers.splice(0).forEach((server) => {
      server.close();
      server.closeAllConnections();
    });
  });

  it('follows no redirect, to wherever it leads', async () => {
    const places = [
      `${trap}/x`,
      `//${trap.slice(7)}/x`,
      '/images/y/json',
      'foo://bar',
      'mailto:x',
      'http://127.0.0.1:1/',
    ];
    for (const status of [301, 302, 307, 308]) {
      for (const location of places) {
        answer = (_, response) => void response.writeHead(status, { location }).end();
        await assert.rejects(docker.getImage('a').inspect(), { statusCode: status });
        await assert.rejects(docker.listContainers(), { statusCode: status });
        await assert.rejects(docker.getImage('a').get(), { statusCode: status });
      }
    }
    assert.deepEqual(elsewhere, []);
    assert.equal(asked.length, 4 * places.length * 3);
  });

  it('asks nothing for a name that would change the address', () => {
    for (const name of [
      'a//b',
      './x',
      '..',
      'a/./b',
      '../../127.0.0.1:1/x',
      'a?force=1',
      'a b',
      '',
      'a\r\nX: y',
    ]) {
      for (const get of ['getImage', 'getContainer', 'getVolume', 'getExec'] as const) {
        assert.throws(() => docker[get](name), { code: 'bad_request' }, `${get} ${name}`);
      }
    }
    assert.deepEqual(asked, []);
  });

  it('holds every path against what a call looks like', async () => {
    for (const path of [
      '/images/a/b:1/json',
      '/exec/0a/json',
      '/events?',
      '/images/a@sha256:0/tag?',
      '/_ping',
    ]) {
      checkPath(path);
    }
    for (const path of [
      '//e/x',
      '/a//b',
      '/a/../b',
      '/a b',
      '/a?b/json',
      '/a?x=1?',
      'http://e/',
      '/a#b',
      '/a\n',
      '',
    ]) {
      assert.throws(() => checkPath(path), { code: 'bad_request' }, path);
    }
    const dialled = new Promise((done) => docker.modem.dial({ path: '/images/../x' }, done));
    assert.equal(((await dialled) as Error).name, 'BerthError');
    assert.deepEqual(asked, []);
  });

  it('describes no request, with all that its agent has open, for a log that is off', async () => {
    let described = 0;
    const agent = Object.assign(new Agent(), { [inspect.custom]: () => `${(described += 1)}` });
    answer = (_, response) => void response.end('OK');
    await dockerClient({ socketPath: join(folder(), 'docker.sock'), agent }).ping();
    assert.deepEqual([asked.length, described], [1, 0]);
  });

  it('names an image by its digest alone where it has one', async () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    await assert.rejects(docker.getImage(`r.example:5000/a/b:1@${digest}`).inspect(), { statusCode: 404 });
    assert.deepEqual(asked, [`GET /images/r.example:5000/a/b@${digest}/json`]);
  });

  it('lives on when a stream that nobody reads breaks', async () => {
    let response: ServerResponse | undefined;
    answer = (_, begun) => {
      response = begun.writeHead(200);
      response.write('x');
    };
    const log = await docker.getContainer('a').logs({ follow: true, stdout: true });
    const attached = await docker
      .getContainer('a')
      .attach({ stream: true, hijack: true, stdin: true, stdout: true });
    response?.destroy();
    upgraded?.destroy(new Error('gone'));
    attached.emit('error', new Error('broken'));
    await until(
      'both are gone',
      () => Promise.resolve(('destroyed' in log && log.destroyed === true) || undefined),
      5_000,
      10,
    );
  });
});
