/** Snapshots of Docker volumes by the built program; also when the engine is killed while one is made or restored. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot, Volume } from '../../../src/api';
import { until } from '../../support/wait';
import { Berth, docker, finished } from './harness';
import { times } from '../../support/soak';

const kills = times(2, 10);

describe('berth snapshot of Docker volumes', function () {
  this.timeout(600_000);
  const berth = new Berth();
  const name = `${berth.prefix}-w`;
  before(() => berth.ok('create', name));
  after(() => berth.dispose());

  const sh = (script: string): Promise<string> => berth.ok('exec', name, '--', 'sh', '-c', script);
  const list = (): Promise<Snapshot[]> => berth.json<Snapshot[]>('snapshot', 'list', name);
  /** Of the home, which is large enough for a kill to meet something under way. */
  const fingerprint = (before = ''): Promise<string> =>
    sh(`${before}cd; find d -type f | sort | xargs cat | sha256sum; find d | wc -l`);

  it('keeps the files of a workspace that goes on, and puts them back when it is stopped', async () => {
    await sh('mkdir ~/d; cd ~/d; for i in $(seq 300); do mkdir $i; head -c 20000 /dev/urandom >$i/f; done');
    const was = await fingerprint();
    assert.match(
      await berth.ok('snapshot', 'create', name, '--name', 'first'),
      /^Snapshot first of .* is made: /,
    );
    await sh('rm -r ~/d; mkdir ~/d; echo two >~/d/f');
    const running = await berth.run(['snapshot', 'restore', name, 'first', '--yes']);
    assert.equal(running.code, 1);
    assert.match(
      running.stderr,
      new RegExp(`in use by the workspace ${name} \\(running\\)[^]*berth stop ${name}`),
    );
    await berth.ok('stop', name);
    const back = await berth.ok('snapshot', 'restore', name, 'first', '--yes');
    assert.match(back, /To undo: berth snapshot restore/);
    await berth.ok('start', name);
    assert.equal(await fingerprint(), was);
    const [undo, first] = await list();
    assert.deepEqual([undo?.reason, first?.name, first?.kind], ['before-restore', 'first', 'docker']);
    assert((first?.heldBytes ?? 0) > 0 && (first?.heldMs ?? 0) > 0);
  });

  it('shows files of one, gives them back one by one, and takes none', async () => {
    await berth.ok('cp', `snapshot:${name}/first:/d/7/f`, `${name}:seven`);
    const [, first] = await list();
    const seen = await berth.ok('ls', `snapshot:${first?.id}:/d`);
    assert.match(seen, /^7\/$/m);
    const here = await sh('sha256sum <~/d/7/f; sha256sum <~/seven; rm ~/seven');
    assert.equal(new Set(here.trim().split('\n')).size, 1);
    assert.match(await berth.ok('find', `snapshot:${first?.id}`, '--include', 'f'), /\/d\/300\/f/);
    const local = join(berth.folder, 'local');
    writeFileSync(local, 'x');
    for (const argv of [
      ['cp', local, `snapshot:${name}/first:/new`],
      ['rm', '-r', `snapshot:${name}/first:/d`],
      ['mkdir', `snapshot:${name}/first:/new`],
    ]) {
      const { code, stderr } = await berth.run(argv);
      assert.equal(code, 1, argv.join(' '));
      assert.match(stderr, /A snapshot never changes\./, argv.join(' '));
    }
    const none = await berth.run(['ls', 'snapshot:0123456789ab']);
    assert.match(none.stderr, /There is no snapshot 0123456789ab\./);
  });

  it('says what has changed since, and between two, by what is in the files', async () => {
    const same = await berth.run(['snapshot', 'diff', name, 'first']);
    assert.deepEqual([same.code, same.stdout, same.stderr], [0, '', '']);
    // The same size and time.
    await sh('cd ~/d/9; cp -p f g; printf changed | dd of=f conv=notrunc status=none; touch -r g f; rm g');
    await sh("rm -r ~/d/8; chmod 600 ~/d/10/f; cd ~/d/11; rm f; ln -s ../12 f; echo new >~/d/'two words'");
    const now = await berth.run(['snapshot', 'diff', name, 'first']);
    assert.equal(now.code, 1);
    assert.deepEqual(now.stdout.split('\n').slice(0, -1), [
      'P d/10/f (mode)',
      'T d/11/f (file to symlink)',
      'D d/8/',
      'D d/8/f',
      'M d/9/f',
      'A d/two words',
    ]);
    await berth.ok('snapshot', 'create', name, '--name', 'second');
    const between = await berth.run(['snapshot', 'diff', name, 'first', 'second']);
    assert.deepEqual([between.code, between.stdout], [1, now.stdout]);
    const folder = await berth.run(['diff', `snapshot:${name}/first`, name, 'd/8', '--name-only']);
    assert.deepEqual([folder.code, folder.stdout], [2, '']);
    const file = await berth.run(['diff', `snapshot:${name}/first:/d/9/f`, `${name}:d/9/f`, '--name-only']);
    assert.deepEqual([file.code, file.stdout], [1, '.\n']);
    await berth.ok('snapshot', 'delete', name, 'second', '--yes');
    await sh("rm ~/d/'two words'");
    await berth.ok('cp', '--force', `snapshot:${name}/first:/d`, `${name}:`);
    await sh('chmod 644 ~/d/10/f');
    assert.equal((await berth.run(['snapshot', 'diff', name, 'first'])).code, 0);
  });

  it('finds a byte that was changed behind its back, by name', async () => {
    const fine = await berth.ok('snapshot', 'verify', name, 'first');
    assert.match(fine, /^first is as it was when it was made: \d+ checked, \d+ read\.$/m);
    assert.match(await berth.ok('snapshot', 'verify', name, 'first'), / 0 read\.$/m);
    const [first] = (await list()).filter((each) => each.name === 'first');
    const inFolder = `cd /s/${first?.id}/tree/d/9; touch -r f t;`;
    const other = 'if [ "$(cat /s/.byte)" = X ]; then printf Y; else printf X; fi';
    await inStore(
      `${inFolder} dd if=f of=/s/.byte bs=1 skip=77 count=1; ${other} | dd of=f bs=1 seek=77 conv=notrunc; touch -r t f; rm t`,
    );
    const found = await berth.run(['snapshot', 'verify', name, '--all']);
    assert.equal(found.code, 1);
    assert.match(
      found.stdout,
      /^\/d\/9\/f has another content\nfirst is damaged: 1 of \d+ checked, 1 read\./m,
    );
    assert.match(await berth.ok('snapshot', 'list', name), /first .*: 1 DAMAGED$/m);
    assert.match(await berth.ok('snapshot', 'show', name, 'first'), /^verified +.*: 1 DAMAGED$/m);
    await inStore(`${inFolder} dd if=/s/.byte of=f bs=1 seek=77 conv=notrunc; touch -r t f; rm t /s/.byte`);
    assert.match(await berth.ok('snapshot', 'verify', name, 'first'), /^first is as it was/m);
  });

  /** Behind Berth's back. */
  async function inStore(script: string): Promise<void> {
    const helper = await docker.createContainer({
      ...{ Image: 'workspace:latest', Entrypoint: ['sh', '-c', script], User: '0:0' },
      HostConfig: { Binds: [`berth-snapshots-${berth.installation}:/s`] },
    });
    try {
      await helper.start();
      assert.equal(((await helper.wait()) as { StatusCode: number }).StatusCode, 0);
    } finally {
      await helper.remove({ force: true });
    }
  }

  it('shows no volume of its own', async () => {
    const volumes = await berth.json<Volume[]>('volume', 'list');
    assert.deepEqual(
      volumes.filter((volume) => volume.name.startsWith('berth-snapshots-')),
      [],
    );
    const taken = await berth.run(['volume', 'create', 'berth-snapshots-mine']);
    assert.match(taken.stderr, /is kept for what Berth itself needs/);
  });

  it('leaves the volume as it was before or is after, and nobody frozen, however the engine is killed', async () => {
    let ended = 0;
    const look = (): Promise<Snapshot[]> =>
      berth.engine.call('snapshots.list', { params: { volume: `workspace-${name}` } });
    const [, first] = await look();
    const whole = await fingerprint();
    for (let kill = 0; kill < kills; kill += 1) {
      const isRestore = kill % 2 === 1;
      const was = await fingerprint(`echo ${kill} >~/d/1/f; rm -rf ~/d/${kill + 10}; `);
      if (isRestore) {
        await berth.ok('stop', name);
      }
      const argv = isRestore
        ? ['snapshot', 'restore', name, first?.id ?? '', '--yes']
        : ['snapshot', 'create', name, '--name', `kill-${kill}`];
      const { pid } = await berth.engine.call('engine.info', {});
      const child = berth.spawn(argv);
      child.stdin.end();
      const done = finished(child, argv.join(' '));
      await berth.atWork(done);
      await sleep(Math.random() * 1200);
      process.kill(pid, 'SIGKILL');
      const { code } = await done;
      ended += code === 0 ? 1 : 0;
      await berth.ok('start', name);
      await until('nothing is frozen', async () => {
        const { State: state } = await docker.getContainer(`workspace-${name}`).inspect();
        return !state.Paused;
      });
      const found = await fingerprint();
      assert(found === was || (isRestore && found === whole), `after kill ${kill}`);
      assert.equal(await sh('ls -A ~ | grep ^.berth- | wc -l'), '0\n');
      const left = await look();
      for (const { id, heldBytes } of left) {
        assert(heldBytes !== undefined, `${id} has no data`);
      }
      const known = left.map(({ id }) => `${id}.json`).sort();
      await until('no draft is left', () => {
        const files = readdirSync(join(berth.home, 'snapshots'));
        return files.sort().join() === known.join();
      });
    }
    console.log(`        ${kills} kills, ${ended} of them after the end`);
    assert.deepEqual(readdirSync(join(berth.home, 'frozen')), []);
  });

  it('deletes them, and what they were kept in', async () => {
    const ids = (await list()).map(({ id }) => id);
    await berth.ok('delete', name, '--yes');
    assert.equal((await list()).length, ids.length, 'they outlive their workspace');
    assert.equal((await berth.json<Snapshot[]>('snapshot', 'list')).length, ids.length);
    assert.match(
      await berth.ok('snapshot', 'list'),
      new RegExp(`^[0-9a-f]{12} +workspace-${name} +first `, 'm'),
    );
    await berth.ok('snapshot', 'delete', name, ...ids, '--yes');
    const filters = { label: [`berth.installation=${berth.installation}`, 'berth.role=snapshots'] };
    assert.deepEqual(await docker.listContainers({ all: true, filters }), []);
    const { Volumes: volumes } = await docker.listVolumes({ filters });
    assert.deepEqual(volumes, []);
  });
});
