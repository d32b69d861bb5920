import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { BerthError } from '../../../src/api';
import { attach } from '../../../src/client/attach';
import { EngineClient } from '../../../src/client/engine-client';
import { readAll } from '../../../src/client/transport';

/** What the other side of the protocol does with a request: the engine's own side is tested with the engine. */
type Script = (socket: WebSocket, request: string) => void;

const control = (message: object): string => JSON.stringify(message);
const out = (mark: number, text: string): Buffer => Buffer.concat([Buffer.from([mark]), Buffer.from(text)]);

describe('client/attach', () => {
  let folder: string;
  let server: Server;
  let client: EngineClient;
  let script: Script;
  let opened: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-attach-'));
    opened = [];
    server = createServer((_, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(
        control({ error: { code: 'not_found', message: 'There is no workspace.', hint: 'List.' } }),
      );
    });
    const sockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, stream, head) => {
      opened.push(request.url ?? '');
      if (request.url?.includes('missing') === true) {
        const body = control({
          error: { code: 'not_found', message: 'There is no workspace.', hint: 'List.' },
        });
        stream.end(
          `HTTP/1.1 404 Not Found\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        );
        return;
      }
      sockets.handleUpgrade(request, stream, head, (socket) => {
        socket.once('message', (message: Buffer) => script(socket, message.toString()));
      });
    });
    server.listen(join(folder, 's'));
    await once(server, 'listening');
    client = new EngineClient(join(folder, 's'));
  });

  afterEach(() => {
    client.dispose();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('delivers both outputs and then the exit code, also what came before anybody read', async () => {
    script = (socket, request) => {
      assert.deepEqual(JSON.parse(request), { argv: ['x'], tty: false });
      socket.send(control({ type: 'started' }));
      socket.send(out(1, 'out'));
      socket.send(out(2, 'err'));
      socket.send(control({ type: 'exit', exitCode: 3 }));
    };
    const session = await attach(client, 'demo', { argv: ['x'], tty: false });
    assert.deepEqual(opened, ['/v1/workspaces/demo/attach']);
    assert.equal(await session.exit, 3);
    assert.equal((await readAll(session.stdout)).toString(), 'out');
    assert.equal((await readAll(session.stderr)).toString(), 'err');
  });

  it('sends input, its end, and sizes', async () => {
    const got: string[] = [];
    script = (socket) => {
      socket.on('message', (message: Buffer, isBinary) => {
        const text = message.toString();
        got.push(isBinary ? `bytes ${text}` : text);
        if (text.includes('end-of-input')) {
          socket.send(control({ type: 'exit', exitCode: 0 }));
        }
      });
      socket.send(control({ type: 'started' }));
    };
    const session = await attach(client, 'demo', { tty: true });
    await session.write('text');
    await session.write(Buffer.from('more'));
    session.resize(100, 30);
    session.endOfInput();
    await session.exit;
    assert.deepEqual(got, [
      'bytes text',
      'bytes more',
      control({ type: 'resize', cols: 100, rows: 30 }),
      control({ type: 'end-of-input' }),
    ]);
    await session.write('too late');
  });

  it('slows the process down when nobody reads', async () => {
    const chunk = out(1, 'x'.repeat(256 * 1024));
    let sent = 0;
    script = (socket) => {
      socket.send(control({ type: 'started' }));
      const more = (): void => {
        if (sent < 200) {
          sent += 1;
          socket.send(chunk, more);
        } else {
          socket.send(control({ type: 'exit', exitCode: 0 }));
        }
      };
      more();
    };
    const session = await attach(client, 'demo', { tty: false });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(sent < 100, `${sent} chunks went out unread`);
    assert.equal((await readAll(session.stdout)).length, 200 * 256 * 1024);
    assert.equal(await session.exit, 0);
  });

  it('rejects with the error that refuses the connection', async () => {
    await assert.rejects(attach(client, 'missing', { tty: false }), {
      code: 'not_found',
      message: 'There is no workspace.',
      hint: 'List.',
    });
  });

  it('rejects with the error that the engine sends instead of a start', async () => {
    script = (socket) => {
      socket.send(control({ type: 'error', error: { code: 'illegal_state', message: 'It is stopped.' } }));
    };
    await assert.rejects(attach(client, 'demo', { tty: false }), {
      code: 'illegal_state',
      message: 'It is stopped.',
    });
  });

  it('tells that the connection broke before the end', async () => {
    script = (socket) => {
      socket.send(control({ type: 'started' }), () => socket.terminate());
    };
    const session = await attach(client, 'demo', { tty: false });
    await assert.rejects(session.exit, { code: 'gone' });
    assert.equal((await readAll(session.stdout)).length, 0);
  });

  it('tells that no engine is there', async () => {
    const nobody = new EngineClient(join(folder, 'none'));
    await assert.rejects(attach(nobody, 'demo', { tty: false }), { code: 'runtime_unavailable' });
  });

  it('waits for the start no longer than told', async () => {
    script = () => undefined;
    await assert.rejects(attach(client, 'demo', { tty: false }, { startTimeoutMs: 50 }), { code: 'timeout' });
  });

  it('lets go when told, and when the signal fires; the other side sees it', async () => {
    const closed: Promise<unknown>[] = [];
    script = (socket) => {
      closed.push(once(socket, 'close'));
      socket.send(control({ type: 'started' }));
    };
    const first = await attach(client, 'demo', { tty: false });
    first.close();
    await assert.rejects(first.exit, BerthError);
    const abort = new AbortController();
    const second = await attach(client, 'demo', { tty: false }, { signal: abort.signal });
    abort.abort();
    await assert.rejects(second.exit, { code: 'cancelled' });
    await Promise.all(closed);
  });
});
