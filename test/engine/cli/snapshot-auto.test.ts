/** Snapshots that a workspace makes by itself, by the built program. */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../../src/api';
import type { sumUsage } from '../../../src/cli/format/usage';
import { docker, Berth } from './harness';
import { until } from '../../support/wait';

describe('berth snapshot auto', function () {
  this.timeout(120_000);
  const berth = new Berth();
  const name = berth.prefix;

  before(() => berth.ok('create', name));
  after(() => berth.dispose());

  const snapshots = (): Promise<Snapshot[]> => berth.json<Snapshot[]>('snapshot', 'list', name);
  const untilNewest = (than?: string): Promise<Snapshot> =>
    until('a snapshot of its own', async () => {
      const all = await snapshots();
      return all.length === 1 && all[0]?.id !== than ? all[0] : undefined;
    });

  it('shows what is set, which is nothing at first', async () => {
    assert.match(
      await berth.ok('snapshot', 'auto', name),
      /makes no snapshots by itself\. Let it: berth snapshot auto/,
    );
    const refused = await berth.run(['snapshot', 'auto', name, '--keep-last', '1']);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /Nothing says when snapshots are made[^]*--every 1h/);
    await berth.ok('snapshot', 'auto', name, '--every', '2h', '--at-stop');
    assert.match(
      await berth.ok('snapshot', 'auto', name, '--keep-last', '1'),
      /^snapshots +every 2 h, at each stop\nkept +1 newest$/m,
    );
    assert.match(await berth.ok('info', name), /^snapshots +every 2 h, at each stop$/m);
  });

  it('makes one at each stop, and only the newest stays', async () => {
    await berth.ok('exec', name, '--', 'sh', '-c', 'echo one >f');
    await berth.ok('stop', name);
    const first = await untilNewest();
    assert.equal(first.reason, 'stop');
    await berth.ok('start', name);
    await berth.ok('exec', name, '--', 'sh', '-c', 'echo two >f');
    await berth.ok('stop', name);
    const second = await untilNewest(first.id);
    assert.equal(await berth.ok('cat', `${name}:f`), 'two\n');
    assert.match(await berth.ok('snapshot', 'list', name), new RegExp(`^${second.id} .* at a stop`, 'm'));
  });

  it('makes one of what has crashed', async () => {
    const [before] = await snapshots();
    await berth.ok('start', name);
    await berth.ok('exec', name, '--', 'sh', '-c', 'echo three >f');
    await docker.getContainer(`workspace-${name}`).kill();
    const crashed = await untilNewest(before?.id);
    assert.equal(crashed.reason, 'stop');
    await berth.ok('snapshot', 'auto', name, '--off');
    await berth.ok('start', name);
    await berth.ok('stop', name);
    assert.deepEqual(
      (await snapshots()).map(({ id }) => id),
      [crashed.id],
    );
  });

  it('count in what takes room, with their volume and what holds it', async () => {
    const usage = await berth.json<Usage>('usage');
    const itemOf = (id: string) =>
      usage.groups.find((group) => group.id === id)?.items.find((item) => item.name === `workspace-${name}`);
    assert.ok((itemOf('volumes')?.bytes ?? 0) > 0, JSON.stringify(usage));
    assert.equal(itemOf('snapshots')?.count, 1);
    const shown = await berth.ok('usage', '--no-measure');
    assert.match(shown, new RegExp(`^SNAPSHOTS, BY VOLUME .*\\nworkspace-${name} .* 1 snapshot$`, 'm'));
  });
});

type Usage = ReturnType<typeof sumUsage>;
