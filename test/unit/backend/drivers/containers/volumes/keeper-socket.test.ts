import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rawPut } from '../../../../../../src/backend/drivers/containers/volumes/keeper-socket';
import { useTempFolder } from '../../../../../support/temp';

describe('containers/volumes/keeper-socket', () => {
  const folder = useTempFolder();
  let server: Server;
  let path: string;
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  async function serve(answer: (socket: Socket) => void): Promise<void> {
    path = join(folder(), 'docker.sock');
    server = createServer(answer).listen(path);
    await once(server, 'listening');
  }
  let before: NodeJS.UnhandledRejectionListener[];
  beforeEach(() => {
    unhandled.length = 0;
    before = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  });
  afterEach(() => {
    process.removeAllListeners('unhandledRejection');
    before.forEach((listener) => process.on('unhandledRejection', listener));
    server.close();
  });

  it('a connection that breaks while the next chunk is read is an error of the upload, and of nobody else', async () => {
    await serve((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.destroy());
    });
    const chunk = Buffer.alloc(4 * 1024 * 1024);
    let asked = 0;
    let isClosed = false;
    const upload = rawPut(path, '/containers/x/archive?path=/', {
      next: async () => {
        asked += 1;
        if (asked > 1) {
          await sleep(200);
        }
        return asked > 3 ? undefined : chunk;
      },
      release: () => undefined,
      close: () => {
        isClosed = true;
        return Promise.resolve();
      },
    });
    await assert.rejects(upload, { code: /^(EPIPE|ECONNRESET)$/ });
    await sleep(700);
    assert.deepEqual([unhandled, isClosed], [[], true]);
  });
});
