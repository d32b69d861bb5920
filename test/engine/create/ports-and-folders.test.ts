/** Ports of workspaces on this machine, and a folder that workspaces of all kinds have at once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishedPort, Workspace } from '../../../src/api/workspaces/schemas';
import { failure } from '../../support/errors';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { occupy, vacate } from '../../support/ports';
import { column, itMostlyOfEngine, testTimeoutMs } from '../../support/runtimes/columns';
import { obstacleToShares } from '../../support/runtimes/microvms';
import { skipWithout } from '../../support/skip';

const serve = 'cd /data && (setsid /.berth/bin/python3 -m http.server 8000 >/dev/null 2>&1 </dev/null &)';

describe('create: ports and shared folders', function () {
  this.timeout(2 * testTimeoutMs);
  const harness = useEngineHarness();
  let one: Workspace;
  let two: Workspace;
  let folder: string;
  let obstacle: string | undefined;

  async function page(port: number | undefined): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${port ?? 0}/page`, { signal: AbortSignal.timeout(5_000) });
    return answer.text();
  }
  const served = (port: number | undefined) =>
    eventually(`port ${port ?? 0} answers`, () => page(port).catch(() => undefined), 30_000);

  async function change(name: string, ports: PublishedPort[]): Promise<Workspace> {
    const { client } = harness();
    const changed = await client.call('workspaces.update', { params: { name }, body: { ports } });
    if (!changed.warnings.some(({ code }) => code === 'ports')) {
      return changed;
    }
    await harness().done(
      await client.call('workspaces.rebuild', { params: { name }, body: { confirm: true } }),
    );
    await harness().sh(name, serve);
    return harness().workspace(name);
  }

  before(async () => {
    const { client, prefix } = harness();
    const volume = { name: `${prefix}-shared`, kind: 'directory' } as const;
    const made = await client.call('volumes.create', { body: volume });
    folder = made.path ?? '';
    obstacle = column === 'microvm' ? await obstacleToShares() : undefined;
    const own = obstacle === undefined ? made.name : `${prefix}-own`;
    one = await harness().create({ ports: [{ guest: 8000 }], volumes: [`${own}:/data`] });
    await harness().sh(one.name, 'echo "from one" >/data/page');
    // In the column of microVMs both kinds run at once.
    two = await harness().create({ runtime: 'container', volumes: [`${made.name}:/input:ro`] });
  });

  it('has one folder in several workspaces at once, and on this machine', async function () {
    if (obstacle !== undefined) {
      skipWithout(this, obstacle);
    }
    assert.equal(await harness().sh(two.name, 'cat /input/page'), 'from one');
    await harness().sh(two.name, '! touch /input/x 2>/dev/null');
    assert.equal(await readFile(join(folder, 'page'), 'utf8'), 'from one\n');
    const { holders } = await harness().client.call('volumes.get', {
      params: { volume: `${harness().prefix}-shared` },
    });
    assert.deepEqual(
      holders.map(({ workspace, state, readOnly }) => [workspace, state, readOnly]),
      [
        [one.name, 'running', false],
        [two.name, 'running', true],
      ],
    );
    const remove = harness().client.call('volumes.delete', {
      params: { volume: `${harness().prefix}-shared` },
      query: { force: true },
    });
    await failure(remove, 'in_use');
  });

  it('is reached at its port, which it keeps over restarts of it and of the engine', async () => {
    const [port] = one.spec.ports ?? [];
    assert(port?.host !== undefined && port.host !== one.sshPort);
    await harness().sh(one.name, serve);
    assert.equal(await served(port.host), 'from one\n');
    await harness().killAndRestart();
    await harness().verb('restart', one.name);
    assert.deepEqual((await harness().workspace(one.name)).spec.ports, [port]);
    await harness().sh(one.name, serve);
    assert.equal(await served(port.host), 'from one\n');
  });

  it('is in use while somebody has a connection to its port', async () => {
    const { name } = one;
    const idle = (policy: Workspace['spec']['idle']) =>
      harness().client.call('workspaces.update', { params: { name }, body: { idle: policy } });
    const client = connect(one.spec.ports?.[0]?.host ?? 0, '127.0.0.1');
    await once(client, 'connect');
    await idle({ pauseAfter: 0.05 });
    await sleep(2 * 3_000);
    const { state, attached } = await harness().workspace(name);
    assert.deepEqual({ state, attached }, { state: 'running', attached: 1 });
    client.destroy();
    await harness().untilState(name, 'paused');
    await idle({});
    await harness().verb('resume', name);
  });

  it('changes its ports, and tells whose the ones are that it can not have', async () => {
    const before = one.spec.ports ?? [];
    const taken = { host: two.sshPort, guest: 8000 };
    const { client } = harness();
    const refused = await failure(
      client.call('workspaces.update', { params: { name: one.name }, body: { ports: [...before, taken] } }),
      'in_use',
    );
    assert.equal(refused.field, 'ports.1.host');
    const create = client.call('workspaces.create', { body: { name: harness().name(), ports: [taken] } });
    assert.match((await failure(create, 'in_use')).message, new RegExp(two.name));
    const { spec } = await change(one.name, [{ host: harness().ports.last, guest: 8000 }]);
    assert.deepEqual(spec.ports, [{ host: harness().ports.last, guest: 8000 }]);
    assert.equal(await served(harness().ports.last), 'from one\n');
    await assert.rejects(page(before[0]?.host));
  });

  itMostlyOfEngine('does not start while another program has its port, and says so', async () => {
    await harness().verb('stop', one.name);
    const server = await occupy(harness().ports.last, '127.0.0.1');
    try {
      const error = await failure(harness().verb('start', one.name), 'in_use');
      assert.equal(error.field, 'ports.0.host');
    } finally {
      await vacate(server);
    }
    await harness().verb('start', one.name);
    assert.equal(await harness().state(one.name), 'running');
  });

  it('keeps the folder until nobody has it any more', async () => {
    await harness().delete(one.name);
    await harness().delete(two.name);
    if (obstacle === undefined) {
      assert.equal(await readFile(join(folder, 'page'), 'utf8'), 'from one\n');
    } else {
      await harness().client.call('volumes.delete', { params: { volume: `${harness().prefix}-own` } });
    }
    await harness().client.call('volumes.delete', { params: { volume: `${harness().prefix}-shared` } });
    await assert.rejects(readFile(join(folder, 'page')), { code: 'ENOENT' });
  });

  itLeavesNothing(harness);
});
