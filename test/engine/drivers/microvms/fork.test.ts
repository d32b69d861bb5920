/** Forks of a microVM that runs: its disks, what was installed, and an identity of their own. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineInfo, Snapshot, Volume, Workspace } from '../../../../src/api';
import { Berth, finished } from '../../cli/harness';
import { times } from '../../../support/soak';

const kills = times(2, 4);

describe('a fork of a microVM', function () {
  this.timeout(400_000);
  const berth = new Berth();
  const [name, fork] = [`${berth.prefix}-vm`, `${berth.prefix}-fork`];
  const data = `${berth.prefix}-data`;
  after(async () => {
    // Machines go on without their engine.
    await berth.run(['delete', name, fork, '--yes', '--now']);
    await berth.dispose();
  });

  const root = (workspace: string, script: string): Promise<string> =>
    berth.ok('exec', workspace, '--user', 'root', '--', 'sh', '-c', script);
  const snapshots = (): Promise<Snapshot[]> =>
    berth.json<Snapshot[]>('snapshot', 'list', `workspace-${name}`);

  it('begins with its disks and what was installed, while it runs on', async () => {
    await berth.ok('volume', 'create', data, '--kind', 'disk', '--size', '64m');
    await berth.ok('create', name, '--runtime', 'microvm', '--volume', `${data}:/data`);
    await root(
      name,
      'echo installed >/opt/t; echo file >/home/workspace/f; echo data >/data/d; cp /etc/machine-id /home/workspace/id',
    );
    const ticking = 'n=0; while sleep 0.1; do n=$((n+1)); echo $n >/home/workspace/tick; done';
    await root(name, `setsid sh -c '${ticking}' </dev/null >/dev/null 2>&1 &`);
    const began = performance.now();
    // Both take long where much else is done.
    await berth.ok('fork', name, fork, '--no-start');
    const made = await snapshots();
    console.log(
      `      forked in ${Math.round(performance.now() - began)} ms, held for ${made.map(({ heldMs }) => heldMs).join()} ms`,
    );
    assert(!existsSync(join(berth.home, 'images', 'oci', 'blobs')), 'nothing of it was packed');
    await berth.ok('start', fork);
    const [at, now] = [await root(fork, 'cat ~workspace/tick'), await root(name, 'cat ~workspace/tick')];
    assert(Number(at) > 0 && Number(now) > Number(at), `it went on: ${at} ${now}`);
    assert.equal(
      await root(fork, 'cat /opt/t ~workspace/f /data/d; hostname'),
      `installed\nfile\ndata\n${fork}\n`,
    );
    assert.equal(await root(fork, 'cmp -s /etc/machine-id ~workspace/id || echo other'), 'other\n');
    await berth.ok('delete', fork, '--yes');
  });

  it('leaves its source running and writing when the engine is killed meanwhile', async () => {
    let ended = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const { pid } = await berth.json<EngineInfo>('status');
      const child = berth.spawn(['snapshot', 'create', `workspace-${name}`]);
      child.stdin.end();
      const done = finished(child, 'berth snapshot create');
      await sleep(700 + Math.random() * 1_500);
      process.kill(pid, 'SIGKILL');
      ended += (await done).code === 0 ? 1 : 0;
      assert.equal(await root(name, `echo ${kill} >~workspace/f && sync && cat ~workspace/f`), `${kill}\n`);
      const known = (await snapshots()).flatMap(({ id }) => [`${id}.ext4`, `${id}.json`]);
      assert.deepEqual(readdirSync(join(berth.home, 'snapshots')).sort(), known.sort());
      const left = readdirSync(join(berth.home, 'workspaces', name)).filter((each) =>
        /draft|view/.test(each),
      );
      assert.deepEqual(left, []);
    }
    console.log(`      ${kills} kills, ${ended} of them after the end`);
    const made = await berth.ok('snapshot', 'create', `workspace-${name}`, '--name', 'after');
    assert.match(made, /^Snapshot after of .* is made: /);
    assert.match(await berth.ok('snapshot', 'verify', `workspace-${name}`, 'after'), /is as it was/);
    assert.equal(await berth.ok('cat', `snapshot:workspace-${name}/after:/f`), `${kills - 1}\n`);
    const ids = (await snapshots()).map(({ id }) => id);
    await berth.ok('snapshot', 'delete', `workspace-${name}`, ...ids, '--yes');
  });

  it('leaves nothing when it is deleted, and its source as it was', async () => {
    const [workspaces, volumes] = [
      await berth.json<Workspace[]>('list'),
      await berth.json<Volume[]>('volume', 'list'),
    ];
    const names = [...workspaces, ...volumes].map((each) => each.name);
    assert.deepEqual(
      names.filter((each) => each.includes(berth.prefix)).sort(),
      [name, data, `workspace-${name}`].sort(),
    );
    assert.ok(!(await berth.ok('image', 'list')).includes(`berth-fork/${name}`));
    assert.equal(await berth.ok('cat', `${name}:f`), `${kills - 1}\n`);
    assert.deepEqual(await snapshots(), []);
  });
});
