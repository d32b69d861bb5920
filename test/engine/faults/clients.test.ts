/** Several clients at once, and clients that go away in the middle. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { EngineEvent } from '../../../src/api/events';
import { fillPath, streamPaths } from '../../../src/api/paths';
import { EngineClient } from '../../../src/client/engine-client';
import { EventStream } from '../../../src/client/events';
import { failure } from '../../support/errors';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { itMostlyOfEngine, testTimeoutMs } from '../../support/runtimes/columns';

describe('faults: clients', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;
  let volume: string;

  before(async () => {
    ({ name, homeVolume: volume } = await harness().create());
  });

  itMostlyOfEngine(
    'two that want different things of one workspace: one wins, the other is told 409',
    async () => {
      const other = new EngineClient(harness().client.socketPath);
      const params = { name };
      const outcomes = await Promise.allSettled([
        harness().client.call('workspaces.stop', { params, query: { wait: 30_000 } }),
        other.call('workspaces.pause', { params, query: { wait: 30_000 } }),
        other.call('workspaces.archive', { params, query: { wait: 30_000 } }),
      ]);
      const won = outcomes.filter(({ status }) => status === 'fulfilled');
      assert.equal(won.length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') {
          assert.equal((outcome.reason as { code: string }).code, 'illegal_state');
        }
      }
      const { state } = await harness().workspace(name);
      await harness().verb(state === 'archived' ? 'restore' : state === 'paused' ? 'resume' : 'start', name);
      other.dispose();
    },
  );

  itMostlyOfEngine('ten that create the same name: one gets it', async () => {
    const same = harness().name();
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => harness().beginCreate(same)));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    assert.equal(won.length, 1);
    await harness().untilState(same, 'running');
    assert.equal(await harness().ssh(same, ['echo', 'one']), 'one');
    await harness().delete(same);
  });

  itMostlyOfEngine('one that leaves while its operation runs: the operation goes on', async () => {
    const abort = new AbortController();
    const params = { name };
    const leaving = harness().client.call('workspaces.restart', {
      params,
      query: { wait: 60_000 },
      signal: abort.signal,
    });
    await sleep(200);
    abort.abort();
    await failure(leaving, 'cancelled');
    await harness().untilState(name, 'running');
    assert.equal(await harness().ssh(name, ['echo', 'on']), 'on');
  });

  /** Sends half of what it promised, then cuts the connection. */
  async function tornUpload(path: string): Promise<void> {
    const query = `?${new URLSearchParams({ path, create: 'true', overwrite: 'true' }).toString()}`;
    const upload = request({
      socketPath: harness().client.socketPath,
      method: 'PUT',
      path: fillPath(streamPaths.fileContent, { volume }) + query,
      headers: { 'content-type': 'application/octet-stream', 'content-length': 2_000_000 },
    });
    upload.on('error', () => undefined);
    upload.write(randomBytes(1_000_000));
    await sleep(300);
    upload.destroy();
    await eventually('the engine has tidied up', async () => {
      const { operations } = await harness().client.call('engine.info', {});
      return operations === 0;
    });
  }

  for (const state of ['running', 'stopped'] as const) {
    it(`an upload that is torn off, workspace ${state}: the old content stays, nothing else does`, async () => {
      await harness().client.writeFile(volume, '/file', Buffer.from('old'), {
        create: true,
        overwrite: true,
      });
      if (state === 'stopped') {
        await harness().verb('stop', name);
      }
      await tornUpload('/file');
      await tornUpload('/new');
      const look = async () => {
        const { entries } = await harness().client.call('files.list', {
          params: { volume },
          query: { path: '/' },
        });
        return entries
          .map((entry) => entry.name)
          .filter((entry) => !/^\.(bash|profile|ssh)|^lost\+found$/.test(entry));
      };
      await eventually('no draft is left', async () => {
        const names = await look();
        return names.length === 1 && names[0] === 'file';
      }).catch(async () => assert.deepEqual(await look(), ['file']));
      assert.equal((await harness().client.readFile(volume, '/file')).toString(), 'old');
      if (state === 'stopped') {
        await harness().verb('start', name);
        assert.equal(await harness().sh(name, 'cat ~/file; ls -A ~ | grep -i berth || true'), 'old');
      }
    });
  }

  it('one that is behind and leaves: its process ends, nobody is attached, and the workspace answers', async () => {
    for (let round = 0; round < 2; round += 1) {
      const socket = new WebSocket(
        `ws+unix:${harness().client.socketPath}:${fillPath(streamPaths.attach, { name })}`,
      );
      socket.on('error', () => undefined);
      await once(socket, 'open');
      socket.send(JSON.stringify({ argv: ['yes', 'a line of output'], tty: round === 1 }));
      await once(socket, 'message');
      socket.pause();
      await sleep(1_500);
      socket.terminate();
    }
    await eventually('the process has ended', async () => {
      const { exitCode } = await harness().client.call('workspaces.exec', {
        params: { name },
        body: { argv: ['pgrep', '-x', 'yes'] },
        signal: AbortSignal.timeout(8_000),
      });
      return exitCode === 1;
    });
    // Another second, for what counts attached clients to be told.
    await sleep(1_000);
    const { lastUsedAt } = await harness().workspace(name);
    await sleep(1_500);
    assert.equal((await harness().workspace(name)).lastUsedAt, lastUsedAt);
  });

  itMostlyOfEngine('event streams resume after the connection broke, missing nothing', async () => {
    const seen: EngineEvent[] = [];
    const client = new EngineClient(harness().client.socketPath);
    const stream = new EventStream(() => Promise.resolve(client.transport), {
      event: (event) => seen.push(event),
      connected: () => undefined,
      disconnected: () => undefined,
    });
    await eventually('it is connected', async () => {
      const { clients } = await harness().client.call('engine.info', {});
      return clients === 1;
    });
    const label = (text: string) =>
      harness().client.call('workspaces.update', { params: { name }, body: { label: text } });
    await label('one');
    await eventually('the first is seen', () => Promise.resolve(seen.length > 0));
    await harness().killAndRestart();
    await label('two');
    await eventually('a reset or the change itself is seen', () =>
      Promise.resolve(
        seen.some(({ type }) => type === 'reset') ||
          seen.some(({ type, payload }) => type === 'workspace.changed' && payload.label === 'two'),
      ),
    );
    stream.dispose();
    client.dispose();
    assert(seen.length >= 2);
  });

  itLeavesNothing(harness);
});
