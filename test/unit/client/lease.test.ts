import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { BerthError, errorStatus, type ErrorCode } from '../../../src/api/errors';
import { EngineClient } from '../../../src/client/engine-client';
import { holdLease } from '../../../src/client/lease';
import { useTempFolder } from '../../support/temp';
import { until } from '../../support/wait';

/** What an engine might answer when it is busy or ends: its real answers are tested with the server. */
type Answer = (response: ServerResponse) => void;

describe('client/lease', () => {
  const folder = useTempFolder();
  let server: Server;
  let client: EngineClient;
  let lease: { dispose(): void } | undefined;
  let answers: Answer[];
  let asked: number;
  let held: number;

  const hold: Answer = (response) => {
    held += 1;
    response.on('close', () => (held -= 1));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
  };
  const refuse =
    (code: ErrorCode): Answer =>
    (response) => {
      response.writeHead(errorStatus[code], { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: new BerthError(code, 'No.').toBody() }));
    };

  beforeEach(async () => {
    [answers, asked, held] = [[], 0, 0];
    server = createServer((_, response) => {
      asked += 1;
      (answers.shift() ?? hold)(response);
    });
    server.listen(join(folder(), 's'));
    await once(server, 'listening');
    client = new EngineClient(join(folder(), 's'));
  });
  afterEach(() => {
    lease?.dispose();
    client.dispose();
    server.closeAllConnections();
    server.close();
  });

  it('is asked for again when the engine is busy, ends, or breaks off', async function () {
    this.timeout(20_000);
    answers = [
      refuse('internal'),
      refuse('runtime_unavailable'),
      refuse('timeout'),
      refuse('in_use'),
      (response) => response.writeHead(502).end('<html>'),
      (response) => response.writeHead(429).end(),
      (response) => response.destroy(),
      (response) => {
        response.writeHead(200).flushHeaders();
        response.destroy();
      },
    ];
    const all = answers.length + 1;
    lease = holdLease(client, 'brief');
    await until('the lease is held in the end', () => held === 1);
    assert.equal(asked, all);
  });

  it('is let go of at once, and not asked for again', async () => {
    lease = holdLease(client, 'brief');
    await until('it is held', () => held === 1);
    lease.dispose();
    await until('it is let go of', () => held === 0);
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(asked, 1);
  });

  for (const code of ['not_found', 'bad_request', 'forbidden'] as const) {
    it(`is given up when the answer is ${code}`, async () => {
      answers = [refuse(code)];
      lease = holdLease(client, 'brief');
      await until('it is asked for', () => asked === 1);
      await new Promise((resolve) => setTimeout(resolve, 700));
      assert.equal(asked, 1);
    });
  }
});
