/** What was deleted is had back, by the built program: whole, under a free name, or not at all, whenever the engine is killed. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Volume, Workspace } from '../../../src/api';
import type { TrashItem } from '../../../src/api/trash/schemas';
import { until } from '../../support/wait';
import { Berth, docker, finished } from './harness';
import { times } from '../../support/soak';

const kills = times(1, 3);

describe('berth trash', function () {
  this.timeout(400_000);
  const berth = new Berth(undefined, { BERTH_TRASH_DAYS: '7' });
  const [name, data] = [`${berth.prefix}-w`, `${berth.prefix}-data`];

  before(async () => {
    await berth.ok('create', name, '--env', 'COLOUR=blue', '-p', '8080', '--tag', 'kept');
    await root(
      name,
      'echo home >~workspace/f; ln -s f ~workspace/l; chmod 640 ~workspace/f; echo own >/opt/f',
    );
  });
  after(() => berth.dispose());

  const root = (workspace: string, script: string): Promise<string> =>
    berth.ok('exec', workspace, '--user', 'root', '--', 'sh', '-c', script);
  const items = (): Promise<TrashItem[]> => berth.engine.call('trash.list', {});
  const names = async (): Promise<string[]> =>
    (await berth.engine.call('workspaces.list', {})).map((each) => each.name).sort();
  const images = async (): Promise<number> =>
    (await docker.listImages({ filters: { reference: [`berth-trash/${name}`] } })).length;
  const isSame = async (workspace: string): Promise<void> => {
    await berth.ok('start', workspace);
    const seen = await root(
      workspace,
      'cat ~workspace/f /opt/f; readlink ~workspace/l; stat -c %a ~workspace/f; echo $COLOUR',
    );
    assert.equal(seen, 'home\nown\nf\n640\nblue\n');
  };

  it('keeps a workspace with all its files, and says for how long', async () => {
    const said = await berth.ok('delete', name, '--yes');
    assert.match(
      said,
      new RegExp(`^${name} is deleted.\\nKept in the trash until \\d{4}-.*berth trash restore `),
    );
    assert.deepEqual([await names(), await berth.volumes()], [[], []]);
    const [item, ...others] = await berth.json<TrashItem[]>('trash', 'list');
    assert.deepEqual([item?.kind, item?.name, others], ['workspace', name, []]);
    const days = (Date.parse(item?.expiresAt ?? '') - Date.parse(item?.deletedAt ?? '')) / 86_400_000;
    assert.equal(days, 7);
    assert.match(await berth.ok('trash', 'list'), new RegExp(`workspace +${name} +just now`));
    // Its snapshot can't be taken away from it.
    const refused = await berth.run([
      'snapshot',
      'delete',
      `workspace-${name}`,
      item?.volumes[0]?.snapshot ?? '',
      '--yes',
    ]);
    assert.match(refused.stderr, /is what the trash keeps of it/);
  });

  it('has it back, also beside another one of its name, which it never touches', async () => {
    await berth.ok('create', name, '--no-start');
    const refused = await berth.run(['trash', 'restore', name]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /There is a workspace .* already[^]*--name NEW/);
    await berth.ok('trash', 'restore', name, '--name', `${name}-2`);
    await isSame(`${name}-2`);
    assert.deepEqual([await names(), await items()], [[name, `${name}-2`], []]);
    const { tags } = await berth.json<Workspace>('info', `${name}-2`);
    assert.deepEqual(tags, ['kept']);
    await berth.ok('delete', name, '--now', '--yes');
    assert.deepEqual(await items(), []);
  });

  it('keeps a volume, whose name is free again, and puts it back as it was', async () => {
    await berth.ok('volume', 'create', data);
    await berth.ok('cp', process.execPath, `volume:${data}:/node`);
    const said = await berth.ok('volume', 'delete', data, '--yes');
    assert.match(said, /Kept in the trash until .* \(\d+ MiB\): berth trash restore/);
    assert.ok(!(await berth.volumes()).includes(data));
    await berth.ok('volume', 'create', data);
    const refused = await berth.run(['trash', 'restore', data]);
    assert.match(refused.stderr, /There is a volume .* already/);
    await berth.ok('volume', 'delete', data, '--now', '--yes');
    await berth.ok('trash', 'restore', data);
    const left = await berth.json<{ name: string }[]>('ls', `volume:${data}:/`);
    assert.deepEqual(
      left.map((each) => each.name),
      ['node'],
    );
    assert.deepEqual([await items(), await berth.engine.call('snapshots.listAll', {})], [[], []]);
  });

  it('is emptied after a question that names what goes with its size, and then has nothing left', async () => {
    await berth.ok('volume', 'delete', data, '--yes');
    const nothing = await berth.ok('trash', 'empty', '--older-than', '1h', '--yes');
    assert.match(nothing, /nothing to remove/);
    const asked = await berth.terminal(['trash', 'empty'], [[/\[y\/N\]/, 'n\n']]);
    assert.match(asked.stdout, new RegExp(`volume +${data}.* MiB[^]*Remove this for good \\(\\d+ MiB\\)`));
    assert.equal((await items()).length, 1);
    await berth.ok('trash', 'empty', data, '--yes');
    assert.deepEqual([await items(), await berth.engine.call('snapshots.listAll', {})], [[], []]);
  });

  it('has a workspace before or after, whenever the engine is killed in a delete, a restore or an empty', async () => {
    const fork = `${name}-2`;
    let cutOff = 0;
    for (let round = 0; round < kills; round += 1) {
      cutOff += await killedIn(['delete', fork, '--yes'], Math.random() * (round % 2 === 0 ? 700 : 2500));
      await until('the delete to be whole or not begun', async () => {
        const [there, trash] = [await names(), await items()];
        return (there.includes(fork) ? 1 : 0) + trash.length === 1 && !(await isBusy(fork));
      });
      if ((await names()).includes(fork)) {
        await berth.ok('delete', fork, '--yes');
      }
      assert.deepEqual([await names(), await berth.volumes()], [[], []]);
      cutOff += await killedIn(['trash', 'restore', fork], Math.random() * (round % 2 === 0 ? 1500 : 700));
      await until('the restore to be whole or taken back', async () => {
        const [there, trash] = [await names(), await items()];
        return (there.includes(fork) ? 1 : 0) + trash.length === 1 && !(await isBusy(fork));
      });
      if (!(await names()).includes(fork)) {
        assert.deepEqual(await berth.volumes(), []);
        await berth.ok('trash', 'restore', fork);
      }
      await isSame(fork);
    }
    assert.ok(cutOff > 0, 'no kill came in the middle');
    await berth.ok('delete', fork, '--yes');
    await killedIn(['trash', 'empty', '--yes'], 100);
    await until('the trash to be empty', async () => {
      await berth.run(['trash', 'empty', '--yes']);
      return (await items()).length === 0;
    });
    await until('nothing to be left', async () => {
      const snapshots = await berth.engine.call('snapshots.listAll', {});
      return snapshots.length === 0 && (await images()) === 0;
    });
    assert.deepEqual((await berth.engine.call('volumes.list', {})).filter(isMine), []);
  });

  const isMine = (volume: Volume): boolean => volume.name.includes(berth.prefix);
  const isBusy = async (workspace: string): Promise<boolean> => {
    const all = await berth.engine.call('workspaces.list', {});
    return all.some((each) => each.name === workspace && !['running', 'stopped'].includes(each.state));
  };

  /** After so long at work. Answers 1 where the command had not ended by then. */
  async function killedIn(argv: string[], afterMs: number): Promise<number> {
    const { pid } = await berth.engine.call('engine.info', {});
    const child = berth.spawn(argv);
    child.stdin.end();
    const outcome = finished(child, argv.join(' '));
    await berth.atWork(outcome);
    await Promise.race([sleep(afterMs), outcome]);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    return (await outcome).code === 0 ? 0 : 1;
  }
});
