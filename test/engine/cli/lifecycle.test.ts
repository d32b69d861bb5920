import assert from 'node:assert/strict';
import type { Workspace } from '../../../src/api';
import { Berth, docker } from './harness';

describe('berth: the life of a workspace', function () {
  this.timeout(180_000);
  const berth = new Berth();
  const name = `${berth.prefix}-ws`;
  const container = docker.getContainer(`workspace-${name}`);
  const stateOf = async () => (await berth.json<Workspace>('info', name)).state;
  after(() => berth.dispose());

  it('creates it with all that was said, step by step', async () => {
    const { code, stdout, stderr } = await berth.run(
      [
        ...['create', name, '--label', 'The test', '--env', 'GREETING=hello there', '--secret', 'TOKEN'],
        ...['--cpus', '1.5', '--memory', '512m', '--pids', '200', '--shm', '128m'],
        ...['-v', `${berth.prefix}-extra:/extra:ro`, '--idle-stop', '600'],
      ],
      { env: { TOKEN: 'hunter2' } },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^${name} is running\\.\\n`));
    assert.match(stderr, new RegExp(`✓ Start  [^]*✓ Create workspace ${name}  `));
    const { HostConfig } = await container.inspect();
    assert.equal(HostConfig.NanoCpus, 1.5e9);
    assert.equal(HostConfig.Memory, 512 * 2 ** 20);
    assert.equal(HostConfig.PidsLimit, 200);
    assert.equal(HostConfig.ShmSize, 128 * 2 ** 20);
    const { stdout: inside } = await berth.run(['ssh', name, '--', 'echo "$GREETING $TOKEN"; ls -d /extra']);
    assert.equal(inside, 'hello there hunter2\n/extra\n');
  });

  it('does not create it twice', async () => {
    const { code, stderr } = await berth.run(['create', name]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*exist/);
  });

  it('refuses bad names and host directories with guidance, and makes nothing', async () => {
    const bad = await berth.run(['create', 'Not_A_Name', '--json']);
    assert.equal(bad.code, 2);
    assert.equal((JSON.parse(bad.stderr) as { error: { field: string } }).error.field, 'name');
    const directory = await berth.run(['create', `${berth.prefix}-dir`, '-v', './:/src']);
    assert.notEqual(directory.code, 0);
    assert.match(directory.stderr, /hint: .*(?:tar|berth cp)/);
    assert.equal((await berth.json<Workspace[]>('list')).length, 1);
  });

  it('lists and shows it', async () => {
    const [listed] = await berth.json<Workspace[]>('list');
    assert.deepEqual([listed?.name, listed?.state], [name, 'running']);
    assert.equal(await berth.ok('list', '--quiet'), `${name}\n`);
    assert.match(await berth.ok('list'), /NAME +STATE[^]*The test/);
    const info = await berth.ok('info', name);
    assert.match(info, /limits +1\.5 CPUs, 512 MiB memory, 200 processes, 128 MiB shared memory/);
    assert.match(info, new RegExp(`home volume +workspace-${name}`));
    assert.doesNotMatch(info, /hunter2/);
  });

  it('pauses and resumes', async () => {
    assert.equal(await berth.ok('pause', name), `${name} is paused.\n`);
    assert.equal((await container.inspect()).State.Paused, true);
    assert.equal(await berth.ok('resume', name), `${name} is running.\n`);
  });

  it('stops, is content to stop again, and starts', async () => {
    assert.equal(await berth.ok('stop', name), `${name} is stopped.\n`);
    assert.equal(await berth.ok('stop', name), `${name} is stopped.\n`);
    assert.equal((await container.inspect()).State.Running, false);
    const [started] = await berth.json<Workspace[]>('start', name);
    assert.equal(started?.state, 'running');
    assert.equal(await berth.ok('restart', name), `${name} is running.\n`);
  });

  it('archives and restores', async () => {
    await berth.ok('archive', name);
    assert.equal(await stateOf(), 'archived');
    assert.equal((await container.inspect()).State.Running, false);
    await berth.ok('restore', name);
    assert.equal(await stateOf(), 'running');
  });

  it('refuses what the state does not allow', async () => {
    await berth.ok('stop', name);
    const { code, stderr } = await berth.run(['pause', name, '--json']);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
    assert.equal(code, 1);
    assert.equal(error.code, 'illegal_state');
    assert.match(error.message, /stopped/);
    await berth.ok('start', name);
  });

  it('renames, changes limits live, rebuilds', async () => {
    await berth.ok('rename', name, 'Another name');
    assert.equal(await berth.ok('limits', name, '--memory', '1g'), limits('1.0 GiB'));
    assert.equal(await berth.ok('limits', name), limits('1.0 GiB'));
    assert.equal((await container.inspect()).HostConfig.Memory, 2 ** 30);
    await berth.ok('exec', name, '--', 'sh', '-c', 'echo kept > /home/workspace/kept');
    const before = (await container.inspect()).Id;
    await berth.ok('exec', name, '--', 'touch', '/var/tmp/own');
    const asked = await berth.run(['rebuild', name]);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /outside of its volumes: \d+ files?, .*No terminal to confirm on/s);
    assert.match(asked.stderr, /--yes/);
    assert.equal((await container.inspect()).Id, before);
    await berth.ok('rebuild', name, '--yes');
    assert.notEqual((await container.inspect()).Id, before);
    assert.equal(await berth.ok('cat', `${name}:kept`), 'kept\n');
  });

  it('opens a stopped one: the address and the command', async () => {
    await berth.ok('stop', name);
    const opened = await berth.json<{ argv: string[]; address: string }>('open', name);
    assert.deepEqual(opened.argv.slice(1), ['--remote', `ssh-remote+berth-${name}`, '/home/workspace']);
    assert.equal(opened.address, `vscode-remote://ssh-remote+berth-${name}/home/workspace`);
    assert.equal(await stateOf(), 'running');
  });

  it('tells each failure of several, does the rest, and exits with the first', async () => {
    const { code, stdout, stderr } = await berth.run(['stop', `${berth.prefix}-no`, name]);
    assert.equal(code, 1);
    assert.equal(stdout, `${name} is stopped.\n`);
    assert.match(stderr, new RegExp(`error: .*${berth.prefix}-no`));
  });

  it('deletes only after a yes', async () => {
    const nobody = await berth.run(['delete', name]);
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /--yes/);
    const no = await berth.terminal(['delete', name], [[/Delete\? \[y\/N\]/, 'n\r']]);
    assert.equal(no.code, 130);
    assert.match(no.stdout, new RegExp(`workspace-${name} +volume with all its files +[\\d.]+ .?i?B`));
    assert.match(no.stdout, new RegExp(`Stays: ${berth.prefix}-extra`));
    assert.equal(await stateOf(), 'stopped');
    const yes = await berth.terminal(['delete', name], [[/Delete\? \[y\/N\]/, 'y\r']]);
    assert.equal(yes.code, 0, yes.stdout);
    assert.deepEqual(await berth.json('list'), []);
    assert.deepEqual(await berth.volumes(), [`${berth.prefix}-extra`]);
  });

  it('does not find it any more', async () => {
    const { code, stderr } = await berth.run(['info', name]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*\n/);
  });
});

function limits(memory: string): string {
  return `1.5 CPUs, ${memory} memory, 200 processes, 128 MiB shared memory\n`;
}
