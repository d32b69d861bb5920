/** A fork that is kept, by the built program: its source has all of it, and can have back what it had. */
import assert from 'node:assert/strict';
import type { Workspace } from '../../../src/api';
import type { ForkResult, KeepResult } from '../../../src/api/operations/fork';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/wait';
import { Berth, finished } from './harness';
import { times } from '../../support/soak';

const kills = times(1, 6);

describe('berth keep', function () {
  this.timeout(500_000);
  const berth = new Berth();
  const [name, data] = [`${berth.prefix}-w`, `${berth.prefix}-data`];
  const [one, two] = [`${name}-fork`, `${name}-fork-2`];

  before(async () => {
    await berth.ok('volume', 'create', data);
    await berth.ok('create', name, '-v', `${data}:/data`);
    await root(name, 'echo source | tee ~workspace/f /data/f >/opt/f; chown workspace ~workspace/f');
  });
  after(() => berth.dispose());

  const root = (workspace: string, script: string): Promise<string> =>
    berth.ok('exec', workspace, '--user', 'root', '--', 'sh', '-c', script);
  const seen = (workspace: string): Promise<string> => root(workspace, 'cat ~workspace/f /data/f /opt/f');
  const info = (): Promise<Workspace> => berth.engine.call('workspaces.get', { params: { name } });
  const names = async (): Promise<string[]> =>
    (await berth.engine.call('workspaces.list', {}))
      .map((each) => each.name)
      .filter((each) => each.startsWith(name));

  it('refuses what is no fork, and forks of others', async () => {
    const alone = await berth.run(['keep', name, '--yes']);
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, /is no fork of another one/);
    const { forks } = await berth.json<ForkResult>('fork', name, '--count', '2');
    assert.deepEqual(
      forks.map(({ workspace }) => workspace),
      [one, two],
    );
  });

  it('says what becomes of what, and does nothing without a yes', async () => {
    await root(one, 'echo fork | tee ~workspace/f /data/f >/opt/f');
    const asked = await berth.terminal(['keep', one], [[/\[y\/N\]/, 'n\n']]);
    assert.match(asked.stdout, new RegExp(`${one}, volume workspace-${one}: .*\\r\\n.*${one}-${data}`));
    assert.match(asked.stdout, new RegExp(`${two}, volume workspace-${two}: `));
    assert.equal(await seen(name), 'source\nsource\nsource\n');
    assert.deepEqual(await names(), [name, one, two]);
  });

  it('changes nothing where one of the volumes is in use by somebody else', async () => {
    const other = `${berth.prefix}-other`;
    await berth.ok('create', other, '-v', `${data}:/data`);
    const { code, stderr } = await berth.run(['keep', one, '--yes']);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${data} is in use by the workspace ${other}`));
    assert.equal((await info()).state, 'running');
    await berth.ok('delete', other, '--yes');
    assert.equal(await seen(name), 'source\nsource\nsource\n');
    assert.deepEqual(await names(), [name, one, two]);
  });

  it('refuses a source that would lose what is in its memory, that is protected, or that is busy with it', async () => {
    await berth.ok('pause', name);
    const paused = await berth.run(['keep', one, '--yes']);
    assert.equal(paused.code, 1);
    assert.match(paused.stderr, new RegExp(`${name} is paused: it can't take over files`));
    await berth.ok('resume', name);
    await berth.ok('protect', name);
    const guarded = await berth.run(['keep', one, '--yes']);
    assert.equal(guarded.code, 1);
    assert.match(guarded.stderr, new RegExp(`${name} is protected`));
    await berth.ok('unprotect', name);
    const first = berth.run(['keep', two, '--yes', '--no-forks']);
    await until('the first one to begin', async () => {
      const all = await berth.engine.call('operations.list', {});
      return all.some(({ kind, status }) => kind === 'workspace.keep' && status === 'running');
    });
    // Asked at once, by no program that starts first: the first one may be done soon.
    const { engine } = berth;
    const asked = [
      engine.call('workspaces.keep', { params: { name: one }, body: { delete: [] } }),
      engine.call('workspaces.stop', { params: { name } }),
    ];
    for (const answer of await Promise.allSettled(
      asked.map((each) => each.then((begun) => engine.waitFor(begun))),
    )) {
      assert.match(
        answer.status === 'rejected' ? String(answer.reason) : JSON.stringify(answer.value),
        new RegExp(`Take the files of ${two} over to ${name} now: nothing else can be done`),
      );
    }
    assert.equal((await first).code, 0, (await first).stderr);
    assert.equal(await seen(name), 'source\nsource\nsource\n');
  });

  it('is taken over whole by the next try, and says how to go back, when the engine is killed in the middle', async () => {
    let cutOff = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await berth.ok('start', name);
      const { pid } = await berth.engine.call('engine.info', {});
      const child = berth.spawn(['keep', one, '--yes', '--no-forks']);
      child.stdin.end();
      const done = finished(child, 'keep');
      await berth.atWork(done);
      await sleep(Math.random() * 5_000);
      process.kill(pid, 'SIGKILL');
      await done;
      await berth.ok('start', name, one);
      assert.match(await seen(name), /^((source|fork)\n){3}$/);
      const { warnings } = await info();
      cutOff += warnings.some(({ code }) => code === 'take-over-cut-off') ? 1 : 0;
      assert.equal(await seen(one), 'fork\nfork\nfork\n');
      await berth.ok('keep', one, '--yes', '--no-forks');
      assert.equal(await seen(name), 'fork\nfork\nfork\n');
      const after = (await info()).warnings.map(({ code }) => code);
      assert.ok(!after.includes('take-over-cut-off'), after.join());
      await root(name, 'echo source | tee ~workspace/f /data/f >/opt/f; chown workspace ~workspace/f');
    }
    console.log(`        ${kills} kills, ${cutOff} of them in the middle`);
  });

  let kept: KeepResult;
  it('gives a workspace that runs all files of the fork, and deletes the forks', async () => {
    kept = await berth.json<KeepResult>('keep', one, '--yes');
    assert.deepEqual([kept.workspace, kept.deleted, kept.notDeleted], [name, [one, two], []]);
    assert.equal((await info()).state, 'running');
    assert.equal(await seen(name), 'fork\nfork\nfork\n');
    assert.deepEqual(await names(), [name]);
    const volumes = (await berth.engine.call('volumes.list', {})).map((volume) => volume.name);
    assert.deepEqual(
      volumes.filter((volume) => volume.includes(berth.prefix)),
      [data, `workspace-${name}`].sort(),
    );
    const snapshots = await berth.engine.call('snapshots.listAll', {});
    assert.deepEqual(
      snapshots.filter(({ reason }) => reason === 'fork'),
      [],
    );
  });

  it('is undone by what it names', async () => {
    assert.equal(kept.before.length, 2);
    await berth.ok('stop', name);
    for (const { volume, snapshot } of kept.before) {
      await berth.ok('snapshot', 'restore', volume, snapshot, '--yes', '--no-keep');
    }
    await berth.ok('rebuild', name, '--yes', '--image', kept.imageBefore ?? '');
    await berth.ok('start', name);
    assert.equal(await seen(name), 'source\nsource\nsource\n');
  });

  it('names forks that could not be deleted, and takes the files alone where that is wanted', async () => {
    await berth.ok('fork', name, one);
    await root(one, 'echo again >~workspace/f');
    await berth.ok('protect', one);
    const { code, stderr } = await berth.run(['keep', one, '--yes']);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${one}: error: Workspace ${one} is protected`));
    assert.equal(await seen(name), 'again\nsource\nsource\n');
    await berth.ok('unprotect', one);
    await root(one, 'echo more >~workspace/f');
    await berth.ok('keep', one, '--yes', '--no-forks');
    assert.equal(await seen(name), 'more\nsource\nsource\n');
    assert.deepEqual(await names(), [name, one]);
    await berth.ok('delete', name, '--yes');
    const gone = await berth.run(['keep', one, '--yes']);
    assert.match(gone.stderr, new RegExp(`is a fork of ${name}, which is gone`));
    await berth.ok('create', name, '--no-start');
    const other = await berth.run(['keep', one, '--yes']);
    assert.match(other.stderr, new RegExp(`is a fork of an earlier ${name}, which is gone`));
  });
});
