/**
 * An update of Berth, and `berth image build` after it, with workspaces in every state. The engine before is of these
 * sources, too, with tools of its own; what it leaves is then made what the version before wrote.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EngineHarness } from '../../support/engine/engine-harness';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { makeOldWorkspace, plantProgram } from '../../support/engine/previous-version';
import { succeed } from '../../support/programs';

const root = resolve(__dirname, '../../../..');

describeContainers('the engine alone', 'lifecycle: an update with workspaces in every state', function () {
  this.timeout(2 * testTimeoutMs);
  const harness = new EngineHarness();
  const tools = `berth-tools:${harness.prefix}`;
  const names = { running: 'a', paused: 'b', stopped: 'c', archived: 'd' } as const;
  const nameOf = (state: keyof typeof names) => `${harness.prefix}-${names[state]}`;
  const states = Object.keys(names) as (keyof typeof names)[];
  let program: string;

  /** The engine with the tools of this test: those of others stay as they are. */
  async function plantEngine(): Promise<string> {
    const folder = join(harness.folder, 'program');
    const planted = await plantProgram(folder);
    await writeFile(join(folder, 'images', 'tools', 'VERSION'), `${harness.prefix}\n`);
    return planted;
  }

  /** As after `berth image build`: the same programs, by another id. */
  async function rebuildTools(): Promise<void> {
    const container = await harness.docker.createContainer({ Image: tools, Cmd: ['/none'] });
    await container.commit({ repo: 'berth-tools', tag: harness.prefix, changes: 'LABEL rebuilt=yes' });
    await container.remove();
  }

  const toolsVolumes = async (): Promise<string[]> => {
    const { Volumes: volumes } = await harness.docker.listVolumes();
    return volumes
      .map(({ Name }) => Name)
      .filter((name) => name.startsWith(`berth-tools-${harness.prefix}-`));
  };
  const assertWhole = async (name: string, own: string) => {
    assert.equal(await harness.sh(name, 'cat ~/home /opt/own 2>/dev/null || true'), `home${own}`);
    assert.equal(await harness.ssh(name, ['echo', 'ssh']), 'ssh');
  };

  before(async function () {
    this.timeout(2 * testTimeoutMs);
    const version = await readFile(join(root, 'images/tools/VERSION'), 'utf8');
    await succeed('docker', ['tag', `berth-tools:${version.trim()}`, tools]);
    program = await plantEngine();
    await harness.start({}, program);
    for (const state of states) {
      const name = nameOf(state);
      await harness.create({ name });
      await harness.sh(name, 'printf home >~/home; sync ~/home');
      await harness.exec(name, ['sh', '-c', 'printf " own" >/opt/own'], { user: 'root' });
    }
    await harness.verb('pause', nameOf('paused'));
    await harness.verb('stop', nameOf('stopped'));
    await harness.verb('archive', nameOf('archived'));
    await harness.process.stop();
    await Promise.all(
      states.map((state) => makeOldWorkspace(join(harness.home, 'workspaces', nameOf(state)))),
    );
    // Which removed the container of what it archived.
    await harness.container(nameOf('archived')).remove();
    await rebuildTools();
    await harness.start({}, program);
  });

  after(async () => {
    await harness.close();
    for (const volume of await toolsVolumes()) {
      await harness.docker.getVolume(volume).remove();
    }
    await harness.docker.getImage(tools).remove({ force: true });
  });

  it('finds them as they were, and what runs goes on', async () => {
    for (const state of states) {
      assert.equal(await harness.state(nameOf(state)), state);
    }
    await assertWhole(nameOf('running'), ' own');
  });

  it('lets them go on with all their files, on the tools that they have', async () => {
    await harness.verb('resume', nameOf('paused'));
    await harness.verb('start', nameOf('stopped'));
    await harness.verb('restart', nameOf('running'));
    for (const state of ['paused', 'stopped', 'running'] as const) {
      await assertWhole(nameOf(state), ' own');
    }
  });

  it('restores what was archived, whose own files had gone with the version before', async () => {
    const { warnings } = await harness.verb('restore', nameOf('archived'));
    assert.match(warnings.join(), /An earlier version of Berth archived it .* outside of volumes is gone/);
    await assertWhole(nameOf('archived'), '');
  });

  it('creates and rebuilds while older ones exist, and those still start', async () => {
    const { name } = await harness.create();
    assert.equal(await harness.ssh(name, ['echo', 'new']), 'new');
    const rebuilt = nameOf('stopped');
    const params = { name: rebuilt };
    await harness.done(await harness.client.call('workspaces.rebuild', { params, body: { confirm: true } }));
    await assertWhole(rebuilt, '');
    assert.equal((await toolsVolumes()).length, 2, 'old and new tools live side by side');
    await harness.verb('restart', nameOf('running'));
    await assertWhole(nameOf('running'), ' own');
  });
});
