/** A fork of a stopped microVM: its disk, what was installed, and an identity of its own. */
import assert from 'node:assert/strict';
import type { Volume, Workspace } from '../../../../src/api';
import { Berth } from '../../cli/harness';

describe('a fork of a microVM', function () {
  this.timeout(400_000);
  const berth = new Berth();
  const [name, fork] = [`${berth.prefix}-vm`, `${berth.prefix}-fork`];
  after(() => berth.dispose());

  const root = (workspace: string, script: string): Promise<string> =>
    berth.ok('exec', workspace, '--user', 'root', '--', 'sh', '-c', script);

  it('begins with its disk and what was installed, once it is stopped', async () => {
    await berth.ok('create', name, '--runtime', 'microvm');
    await root(
      name,
      'echo installed >/opt/t; echo file >/home/workspace/f; cp /etc/machine-id /home/workspace/id',
    );
    const running = await berth.run(['fork', name, fork]);
    assert.equal(running.code, 1);
    assert.match(running.stderr, / is running[^]*Stop it first/);
    await berth.ok('stop', name);
    await berth.ok('fork', name, fork);
    assert.equal(await root(fork, 'cat /opt/t ~workspace/f; hostname'), `installed\nfile\n${fork}\n`);
    assert.equal(await root(fork, 'cmp -s /etc/machine-id ~workspace/id || echo other'), 'other\n');
  });

  it('leaves nothing when it is deleted, and its source as it was', async () => {
    await berth.ok('delete', fork, '--yes');
    const [workspaces, volumes] = [
      await berth.json<Workspace[]>('list'),
      await berth.json<Volume[]>('volume', 'list'),
    ];
    const names = [...workspaces, ...volumes].map((each) => each.name);
    assert.deepEqual(
      names.filter((each) => each.includes(berth.prefix)),
      [name, `workspace-${name}`],
    );
    assert.ok(!(await berth.ok('image', 'list')).includes(`berth-fork/${name}`));
    assert.equal(await berth.ok('cat', `${name}:f`), 'file\n');
  });
});
