import assert from 'node:assert/strict';
import { lastWords } from '../../../../../../src/backend/drivers/containers/runtime/configure';
import type { Endpoint } from '../../../../../../src/backend/drivers/containers/engine/endpoint';

/** As the engine's API has the output of a container without a terminal. */
function frame(stream: number, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, content.length]);
  return Buffer.concat([header, content]);
}

describe('drivers/containers/runtime/configure', () => {
  it('quotes the log of a container as it is, without what frames its lines', async () => {
    const log = Buffer.concat([
      frame(2, 'berth: sshd ended with code 255, ärgerlich\n'),
      frame(2, '123456789\n'),
      frame(1, '\u001b[31mred\n'),
    ]);
    const container = {
      inspect: () => Promise.resolve({ State: { Status: 'running' }, Config: { Tty: false } }),
      logs: () => Promise.resolve(log),
    };
    const docker = { getContainer: () => container };
    const endpoint = { call: (_what: string, use: (docker: unknown) => unknown) => use(docker) };
    assert.equal(
      await lastWords(endpoint as unknown as Endpoint, 'workspace-demo'),
      'The container is running; its log ends with: berth: sshd ended with code 255, ärgerlich\n123456789\n\\x1b[31mred',
    );
  });
});
