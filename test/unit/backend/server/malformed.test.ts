import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { ErrorBody } from '../../../../src/api/errors';
import { useServer } from '../../../support/engine/server';

describe('server: what is no request', () => {
  const { start } = useServer();

  it('is refused in the form of all errors', async () => {
    const test = await start();
    const say = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let heard = '';
        const socket = connect(test.socket, () => socket.write(text));
        socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
        socket.on('close', () => resolve(heard)).on('error', reject);
      });
    const host = 'Host: x\r\nConnection: close\r\n';
    const requests: [string, RegExp][] = [
      ['what is this\r\n\r\n', /not valid HTTP/],
      [`GET /v1/engine HTTP/1.1\r\n${host}X: ${'x'.repeat(40_000)}\r\n\r\n`, /too long/],
      [`GET /v1/workspaces/${'x'.repeat(1000)} HTTP/1.1\r\n${host}\r\n`, /./],
      [`GET /v1/workspaces/%zz HTTP/1.1\r\n${host}\r\n`, /./],
    ];
    for (const [request, message] of requests) {
      const [head = '', body = ''] = (await say(request)).split('\r\n\r\n');
      const [, json = ''] = /(\{.*\})/.exec(body) ?? [];
      assert.match(head, /^HTTP\/1.1 400 /, request.slice(0, 60));
      const { error } = JSON.parse(json) as { error: ErrorBody };
      assert.equal(error.code, 'bad_request');
      assert.match(error.message, message);
    }
  });
});
