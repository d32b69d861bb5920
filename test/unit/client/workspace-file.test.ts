/** Files of workspaces on this machine: there when they are whole, and else nothing of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Operation } from '../../../src/api/operations/schemas';
import { EngineClient } from '../../../src/client/engine-client';
import { exportToFile } from '../../../src/client/workspace-file';
import { failure } from '../../support/errors';
import { mountSmallDisk, unmount } from '../../support/files/small-disk';
import { skipWithout } from '../../support/skip';
import { useTempFolder } from '../../support/temp';
import { until } from '../../support/wait';

const ended: Operation = {
  ...{ id: 'o1', kind: 'workspace.export', title: 'Export', status: 'succeeded', cancellable: true },
  ...{ startedAt: '2026-01-01T00:00:00Z', steps: [], warnings: [] },
};

describe('client: a workspace as a file', () => {
  const folder = useTempFolder();

  /** Exports four mebibytes, which are cut off when nobody reads them; or one of them, after which nothing comes any more. */
  async function exported(
    path: string,
    { signal, isStuck = false }: { signal?: AbortSignal; isStuck?: boolean } = {},
  ): Promise<void> {
    let left = 4;
    const server = createServer((request, response) => {
      if (request.url?.endsWith('/export') !== true) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(ended));
        return;
      }
      response.writeHead(200, { 'berth-operation': 'o1' });
      const send = (): void => {
        left -= 1;
        const next = (): unknown => (left > 0 ? send() : response.end());
        response.write(Buffer.alloc(1024 * 1024, left), isStuck ? undefined : next);
      };
      send();
    });
    const socket = join(folder(), 's');
    server.listen(socket);
    await once(server, 'listening');
    const client = new EngineClient(socket);
    try {
      await exportToFile(client, 'demo', path, {
        force: false,
        signal: signal ?? new AbortController().signal,
      });
    } finally {
      client.dispose();
      server.closeAllConnections();
      server.close();
    }
  }

  it('is there where there is room', async () => {
    await exported(join(folder(), 'demo.berth'));
    assert.deepEqual(readdirSync(folder()), ['demo.berth']);
  });

  it('has no part of itself left as soon as it is cancelled, as a window closes then', async () => {
    const cancel = new AbortController();
    const exporting = failure(
      exported(join(folder(), 'demo.berth'), { signal: cancel.signal, isStuck: true }),
      'cancelled',
    );
    const parts = (): string[] => readdirSync(folder()).filter((each) => each.includes('.berth'));
    await until('a part of it is there', () =>
      parts().some((each) => statSync(join(folder(), each)).size === 1024 * 1024),
    );
    cancel.abort();
    assert.deepEqual(parts(), []);
    await exporting;
    assert.deepEqual(parts(), []);
  });

  it('leaves no part of itself on a disk that is full', async function () {
    const disk = join(folder(), 'disk');
    if (!mountSmallDisk(disk, '1m')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    try {
      const error = await failure(() => exported(join(disk, 'demo.berth')), 'no_space');
      assert.match(error.message, /There is no room for .*demo\.berth/);
      assert.deepEqual(readdirSync(disk), []);
    } finally {
      unmount(disk);
    }
  });
});
