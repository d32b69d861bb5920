/** Forks by the built program, with a real Docker: what they begin with, what is their own, and what stays of them. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot, Workspace } from '../../../src/api';
import type { ForkResult } from '../../../src/api/operations/fork';
import { until } from '../../support/wait';
import { Berth, docker, finished } from './harness';
import { times } from '../../support/soak';

const kills = times(1, 6);
type Forked = ForkResult & { workspaces: Workspace[] };

describe('berth fork', function () {
  this.timeout(600_000);
  const berth = new Berth(undefined, {
    FORK_SECRET: 'only-for-forks',
  });
  const name = `${berth.prefix}-w`;
  const fork = (suffix: string): string => `${berth.prefix}-${suffix}`;
  const data = `${berth.prefix}-data`;
  const shared = `${berth.prefix}-shared`;

  before(async () => {
    await berth.ok('volume', 'create', data);
    await berth.ok('volume', 'create', shared);
    const volumes = ['-v', `${data}:/data`, '-v', `${shared}:/shared:ro`];
    await berth.ok(
      ...['create', name, ...volumes, '--publish', '8000', '--env', 'COLOUR=red', '--secret', 'FORK_SECRET'],
      ...['--tag', 'tried', '--cpus', '1'],
    );
    await root(
      name,
      `mkdir /opt/tool && echo installed >/opt/tool/t && echo ${'0123456789abcdef'.repeat(2)} >/etc/machine-id`,
    );
    await root(name, 'ssh-keygen -q -N "" -t ed25519 -f /etc/ssh/ssh_host_ed25519_key');
    await sh(name, 'mkdir ~/d; for i in $(seq 200); do head -c 20000 /dev/urandom >~/d/$i; done');
    await sh(
      name,
      'ln ~/d/1 ~/d/one; ln -s d/2 ~/two; echo in-data >/data/f; git init -q ~/r; echo x >~/r/new',
    );
  });
  after(() => berth.dispose());

  const inside = (workspace: string, user: string, script: string): Promise<string> =>
    berth.ok('exec', workspace, '--user', user, '--', 'sh', '-c', script);
  const sh = (workspace: string, script: string): Promise<string> => inside(workspace, 'workspace', script);
  const root = (workspace: string, script: string): Promise<string> => inside(workspace, 'root', script);
  const files = async (workspace: string): Promise<string[]> =>
    (
      await sh(
        workspace,
        'cd; find d r two -printf "%p %y %m %u %n %l\\n" | sort; find d r -type f | sort | xargs sha256sum',
      )
    ).split('\n');
  const workspaces = async (): Promise<Workspace[]> =>
    (await berth.engine.call('workspaces.list', {})).filter((each) => each.name.startsWith(berth.prefix));
  const volumes = async (): Promise<string[]> =>
    (await berth.engine.call('volumes.list', {}))
      .map((volume) => volume.name)
      .filter((each) => each.includes(berth.prefix))
      .sort();
  const images = async (): Promise<string[]> =>
    (await berth.engine.call('images.list', {}))
      .flatMap(({ tags }) => tags)
      .filter((tag) => tag.includes(`berth-fork/${name}`));
  const snapshots = (): Promise<Snapshot[]> =>
    berth.engine.call('snapshots.list', { params: { volume: `workspace-${name}` } });
  /** All that there is of the source alone. */
  async function assertNothingLeft(): Promise<void> {
    assert.deepEqual(
      (await workspaces()).map((each) => each.name),
      [name],
    );
    assert.deepEqual(await volumes(), [data, shared, `workspace-${name}`].sort());
    assert.deepEqual([await images(), await snapshots()], [[], []]);
  }

  it('begins with all files of a workspace that goes on: home, named volumes, and what was installed', async () => {
    const [one, two] = [fork('one'), fork('two')];
    const was = await files(name);
    const { forks, workspaces: made } = await berth.json<Forked>('fork', name, one, two);
    assert.deepEqual(forks, [
      { ok: true, workspace: one },
      { ok: true, workspace: two },
    ]);
    for (const workspace of made) {
      assert.equal(workspace.state, 'running');
      assert.equal(workspace.forkedFrom?.workspace, name);
      assert.deepEqual(
        [workspace.tags, workspace.spec.limits, workspace.warnings],
        [['tried'], { cpus: 1 }, []],
      );
      assert.deepEqual(await files(workspace.name), was);
      assert.equal(
        await sh(
          workspace.name,
          'cat /data/f /opt/tool/t; echo $COLOUR $FORK_SECRET; git -C ~/r status --short',
        ),
        'in-data\ninstalled\nred only-for-forks\n?? new\n',
      );
    }
    assert.equal((await berth.json<Workspace>('info', name)).state, 'running');
  });

  it('has nothing in common that tells one machine from another', async () => {
    const all = await workspaces();
    assert.equal(all.length, 3);
    const ports = all.flatMap(({ sshPort, spec }) => [
      sshPort,
      ...(spec.ports ?? []).map(({ host }) => host),
    ]);
    const ids = all.map(({ runtimeId }) => runtimeId);
    const inner = await Promise.all(
      all.map(({ name: each }) =>
        root(
          each,
          'hostname; cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub /run/berth/*host*key.pub 2>/dev/null; ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key; cat /sys/class/net/eth0/address',
        ),
      ),
    );
    const values = [...ports, ...ids, ...inner.flatMap((text) => [...new Set(text.trim().split('\n'))])];
    assert.ok(values.length >= 3 * 7, values.join('\n'));
    assert.deepEqual(
      values.filter((value, index) => values.indexOf(value) !== index),
      [],
    );
  });

  it('goes its own way: what one writes, no other sees', async () => {
    const [one, two] = [fork('one'), fork('two')];
    await sh(one, 'echo one >~/d/1; rm ~/d/2; echo one >/data/f');
    await root(one, 'echo one >/opt/tool/t');
    await sh(name, 'echo source >~/d/3; echo source >/data/f');
    for (const [workspace, seen] of [
      [one, 'one\none\n'],
      [two, 'in-data\ninstalled\n'],
      [name, 'source\ninstalled\n'],
    ] as const) {
      assert.equal(await sh(workspace, 'cat /data/f /opt/tool/t'), seen);
    }
    assert.equal(await sh(two, 'ls ~/d/2; cat ~/d/1 ~/d/3 | wc -c'), '/home/workspace/d/2\n40000\n');
    await assert.rejects(sh(two, 'echo x >/shared/x'), /Read-only/);
  });

  it('stays whole when it is stopped, rebuilt and started again, and who it is', async () => {
    const two = fork('two');
    const was = await files(two);
    await berth.ok('restart', two);
    assert.deepEqual(await files(two), was);
    assert.equal(await sh(two, 'cat /opt/tool/t'), 'installed\n');
    await berth.ok('rebuild', two, '--yes');
    const id = await root(two, 'cat /etc/machine-id; ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key');
    const ofSource = await root(name, 'cat /etc/machine-id; ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key');
    assert.deepEqual(
      id.split('\n').filter((line) => line !== '' && ofSource.includes(line)),
      [],
    );
    assert.deepEqual(await files(two), was);
    assert.equal(await sh(two, 'cat /opt/tool/t'), 'installed\n');
  });

  it('takes volumes, image and snapshots along when the last one is deleted', async () => {
    await berth.ok('delete', fork('one'), '--yes');
    assert.equal((await images()).length, 1);
    assert.equal((await snapshots()).length, 1);
    const asked = await berth.terminal(['delete', fork('two')], [[/\[y\/N\]/, 'n\n']]);
    assert.match(asked.stdout, new RegExp(`${fork('two')}-${data} +volume with all its files`));
    await berth.ok('delete', fork('two'), '--yes');
    await assertNothingLeft();
  });

  for (const state of ['paused', 'archived'] as const) {
    it(`is made of one that is ${state}, which stays so`, async () => {
      const was = await files(name);
      await berth.ok({ paused: 'pause', archived: 'archive' }[state], name);
      await berth.ok('fork', name, fork(state), ...(state === 'archived' ? ['--no-start'] : []));
      assert.equal((await berth.json<Workspace>('info', name)).state, state);
      await berth.ok('start', fork(state));
      assert.deepEqual(await files(fork(state)), was);
      const id = await root(fork(state), 'cat /etc/machine-id');
      assert.doesNotMatch(id, /0123456789abcdef/);
      await berth.ok('delete', fork(state), '--yes');
      await berth.ok({ paused: 'resume', archived: 'restore' }[state], name);
      await assertNothingLeft();
    });
  }

  it('begins with a snapshot that is named', async () => {
    await sh(name, 'echo before >~/when');
    await berth.ok('snapshot', 'create', name, '--name', 'before');
    await sh(name, 'echo after >~/when');
    await berth.ok('fork', name, fork('old'), '--from', 'before');
    assert.equal(await sh(fork('old'), 'cat ~/when; rm ~/when'), 'before\n');
    await berth.ok('delete', fork('old'), '--yes');
    const kept = await snapshots();
    assert.deepEqual(
      kept.map((each) => each.name),
      ['before'],
    );
    const none = await berth.run(['fork', name, fork('old'), '--from', 'nothing']);
    assert.match(none.stderr, /has no snapshot nothing/);
    await berth.ok('snapshot', 'delete', name, 'before', '--yes');
    await assertNothingLeft();
  });

  it('says which of several could not be made, and keeps the others', async () => {
    const [good, bad] = [fork('good'), fork('bad')];
    const inTheWay = `workspace-${bad}`;
    await docker.createVolume({ Name: inTheWay, Labels: { 'berth-test': berth.prefix } });
    try {
      const { code, stderr, stdout } = await berth.run(['fork', name, good, bad]);
      assert.equal(code, 1);
      assert.match(
        stderr,
        new RegExp(`${bad}: error: There is a volume ${inTheWay} already: it would be written over`),
      );
      assert.match(stdout, new RegExp(`^${good} is running: a fork of ${name}\\.$`, 'm'));
      const alone = await berth.run(['fork', name, bad]);
      assert.equal(alone.code, 1);
      assert.match(alone.stderr, /would be written over/);
      await berth.ok('delete', good, '--yes');
    } finally {
      await docker.getVolume(inTheWay).remove();
    }
    await assertNothingLeft();
  });

  it('gives two who ask at once forks of different names', async () => {
    const both = await Promise.all([
      berth.run(['fork', name, '--no-start']),
      berth.run(['fork', name, '--no-start']),
    ]);
    assert.deepEqual(
      both.map(({ code, stderr }) => [code, stderr.includes('error')]),
      [
        [0, false],
        [0, false],
      ],
    );
    for (const made of [`${name}-fork`, `${name}-fork-2`]) {
      await berth.ok('delete', made, '--yes');
    }
    await assertNothingLeft();
  });

  it('refuses names that are taken, wrong or twice there before anything is copied', async () => {
    for (const [argv, message] of [
      [[name], /already exists/],
      [['Bad_Name'], /can't be the name of a workspace/],
      [[fork('x'), fork('x')], /must NOT have duplicate items|twice/],
      [[fork('x'), '--count', '2'], /not both/],
      [['--count', '0'], /count/],
      [['--count', '33'], /count/],
    ] as const) {
      const { code, stderr } = await berth.run(['fork', name, ...argv]);
      assert.notEqual(code, 0, argv.join(' '));
      assert.match(stderr, message, argv.join(' '));
    }
    await assertNothingLeft();
  });

  it('leaves the source as it was, and what can be deleted, however the engine is killed', async () => {
    const was = await files(name);
    let whole = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const { pid } = await berth.engine.call('engine.info', {});
      const child = berth.spawn(['fork', name, fork('k1'), fork('k2')]);
      child.stdin.end();
      const done = finished(child, 'fork');
      await berth.atWork(done);
      await sleep(Math.random() * 4000);
      process.kill(pid, 'SIGKILL');
      await done;
      await berth.ok('start', name);
      assert.deepEqual(await files(name), was);
      for (const each of (await workspaces()).filter((workspace) => workspace.name !== name)) {
        const started = await berth.run([each.state === 'error' ? 'recover' : 'start', each.name]);
        if (started.code === 0) {
          whole += 1;
          assert.deepEqual(await files(each.name), was, `${each.name} after kill ${kill}`);
        } else {
          assert.match(started.stderr, /were not copied to .* to their end/);
        }
        await berth.ok('delete', each.name, '--yes');
      }
      await until('what was left to be removed', async () => (await snapshots()).length === 0);
      for (const image of await images()) {
        await berth.ok('image', 'remove', image);
      }
      assert.deepEqual(await volumes(), [data, shared, `workspace-${name}`].sort(), `after kill ${kill}`);
    }
    console.log(`        ${kills} kills, ${whole} forks were whole after them`);
    await assertNothingLeft();
  });
});
