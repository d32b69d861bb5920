import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { AttachControl } from '../../../../src/api/paths';
import { useServer, type TestServer } from '../../../support/engine/server';
import { until } from '../../../support/wait';

describe('server: attach', () => {
  const { start } = useServer();
  let test: TestServer;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
  });

  function open(name = 'demo') {
    const socket = new WebSocket(`ws+unix:${test.socket}:/v1/workspaces/${name}/attach`);
    const controls: AttachControl[] = [];
    let output = '';
    socket.on('error', () => undefined);
    socket.on('message', (content: Buffer, isBinary: boolean) => {
      if (isBinary) {
        output += `${content[0]}:${content.subarray(1).toString()};`;
      } else {
        controls.push(JSON.parse(content.toString()) as AttachControl);
      }
    });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    return { socket, controls, closed, output: () => output };
  }

  async function request(what: object | string, name?: string) {
    const attached = open(name);
    await once(attached.socket, 'open');
    attached.socket.send(typeof what === 'string' ? what : JSON.stringify(what));
    return attached;
  }
  const sessions = () => test.services.access.sessionsOf('demo');

  it('carries output by stream, and the exit code at the end', async () => {
    test.driver.commands.set('tool', { exitCode: 3, stdout: 'out', stderr: 'err' });
    const attached = await request({ argv: ['tool'], tty: false });
    await attached.closed;
    assert.deepEqual(attached.controls, [{ type: 'started' }, { type: 'exit', exitCode: 3 }]);
    assert(attached.output().includes('1:out;') && attached.output().includes('2:err;'));
    assert.equal(sessions(), 0);
  });

  it('carries input, also what was sent before it had begun', async () => {
    test.driver.commands.set('cat', { endless: true, stdout: 'echo' });
    const attached = open();
    await once(attached.socket, 'open');
    attached.socket.send(JSON.stringify({ argv: ['cat'], tty: true, cols: 100, rows: 30 }));
    attached.socket.send(Buffer.from('early'));
    await until('it comes back', () => attached.output().includes('early'));
    attached.socket.send(JSON.stringify({ type: 'resize', cols: 10, rows: 10 }));
    attached.socket.send(Buffer.from('late'));
    await until('it comes back', () => attached.output().includes('late'));
    assert.deepEqual(test.driver.execs.at(-1)?.tty, { cols: 100, rows: 30 });
    assert.equal(test.driver.execs.at(-1)?.env?.TERM, 'xterm-256color');
    assert.equal(test.services.lifetime.reasonToStay, 'a client is connected');
    attached.socket.terminate();
    await until('the process is ended', () => sessions() === 0);
    await until('the engine may go', () => test.services.lifetime.reasonToStay === undefined);
  });

  it('opens a login shell when no command is named', async () => {
    const attached = await request({ tty: true });
    await attached.closed;
    assert.equal(test.driver.execs.at(-1)?.argv[0], '/bin/sh');
    assert.equal(test.driver.execs.at(-1)?.user, 'workspace');
  });

  for (const [what, message, code] of [
    ['no JSON', 'hello', 'bad_request'],
    ['an unknown field', { tty: false, color: 1 }, 'bad_request'],
    ['no tty said', { argv: ['x'] }, 'bad_request'],
    ['a user that is no name', { tty: false, user: 'root; rm' }, 'bad_request'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const attached = await request(message);
      await attached.closed;
      const [answer] = attached.controls;
      assert(answer?.type === 'error');
      assert.equal(answer.error.code, code);
      assert.equal(test.driver.execs.length, 0);
    });
  }

  it('says that it does not run', async () => {
    await test.done(test.services.verbs.stop('demo'));
    const attached = await request({ tty: true });
    await attached.closed;
    const [answer] = attached.controls;
    assert(answer?.type === 'error' && answer.error.code === 'illegal_state');
    assert.match(answer.error.hint ?? '', /berth start demo/);
  });

  it('survives control messages that make no sense, and broken frames', async () => {
    test.driver.commands.set('cat', { endless: true, stdout: 'echo' });
    const attached = await request({ argv: ['cat'], tty: false });
    for (const nonsense of ['{', '[]', '{"type":"resize"}', '{"type":"dance"}', 'null']) {
      attached.socket.send(nonsense);
    }
    attached.socket.send(Buffer.from('still here'));
    await until('it answers', () => attached.output().includes('still here'));
    attached.socket.send(JSON.stringify({ type: 'end-of-input' }));
    attached.socket.terminate();
    await until('the process is ended', () => sessions() === 0);

    const raw = connect(test.socket);
    raw.on('error', () => undefined);
    raw.write(
      'GET /v1/workspaces/demo/attach HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await once(raw, 'data');
    raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    await once(raw, 'close');
    assert.equal((await test.client.call('engine.info', {})).version, '1.0.0');
    await until('the engine may go', () => test.services.lifetime.reasonToStay === undefined);
  });

  it('ends the process when the client goes while it is being started', async () => {
    const gate = test.driver.hold('exec');
    test.driver.commands.set('cat', { endless: true });
    const attached = await request({ argv: ['cat'], tty: false });
    await gate.entered;
    attached.socket.terminate();
    await attached.closed;
    gate.open();
    await until('the process is ended', () => test.driver.execs.length === 1 && sessions() === 0);
    await until('the engine may go', () => test.services.lifetime.reasonToStay === undefined);
  });

  it('knows no workspace by a bad name', async () => {
    const attached = open('Bad..Name');
    await attached.closed;
    assert.deepEqual(attached.controls, []);
    assert.equal(sessions(), 0);
  });

  it('types the end of input on a terminal, and goes on with the output', async () => {
    test.driver.commands.set('cat', { endless: true, stdout: 'echo' });
    const attached = await request({ argv: ['cat'], tty: true });
    attached.socket.send(Buffer.from('abc'));
    attached.socket.send(JSON.stringify({ type: 'end-of-input' }));
    await until('it is typed, and again', () => attached.output().split('\u0004').length > 2);
    assert.equal(attached.socket.readyState, WebSocket.OPEN);
    attached.socket.send(Buffer.from('late'));
    await until('it comes back', () => attached.output().includes('late'));
    attached.socket.close();
    await until('the process is let go', () => sessions() === 0);
  });

  it('notices that a client has gone which was made to wait', async () => {
    test.driver.commands.set('deaf', { endless: true });
    const attached = await request({ argv: ['deaf'], tty: false });
    await until('it has begun', () => attached.controls.length === 1);
    for (let count = 0; count < 64; count += 1) {
      attached.socket.send(Buffer.alloc(64 * 1024));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    attached.socket.terminate();
    await until('the process is let go', () => sessions() === 0);
  });
});
