/** Creates that fail or are cancelled half-way: nothing half-built stays, and nobody else's things go. */
import assert from 'node:assert/strict';
import { mkdtemp, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../../support/errors';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { FileServer, author, makeRepository } from '../../support/programs/git-server';
import { succeed } from '../../support/programs';
import { column, itMostlyOfEngine, itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';

describe('create: failures', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let files: FileServer;

  before(async () => {
    files = await FileServer.start(harness().folder, harness().docker);
    await makeRepository(harness().folder, { 'README.md': '# Project\n' });
  });
  after(async () => files.close());

  const cancel = (id: string) => harness().client.call('operations.cancel', { params: { id } });

  async function assertNothingOf(name: string): Promise<void> {
    await failure(harness().workspace(name), 'not_found');
    const { runtime } = harness();
    const all = [...(await runtime.volumes()), ...(await runtime.runtimes())];
    assert.deepEqual(
      all.filter((line) => line.includes(name)),
      [],
    );
    assert.equal(await runtime.stateOf(name), 'gone');
  }

  itMostlyOfEngine(
    'leaves a workspace usable whose clone failed, says so, and clones at the next start',
    async () => {
      const workspace = await harness().create({ cloneUrl: files.url('later.git') });
      assert.equal(workspace.state, 'running');
      const [warning] = workspace.warnings;
      assert.equal(warning?.code, 'clone');
      assert.match(warning.message, /not cloned: git ended with exit code 128/);
      assert.match(warning.hint ?? '', /usable/);
      assert.equal(workspace.steps.find((step) => step.name === 'clone')?.outcome, 'failed');
      assert.equal(await harness().ssh(workspace.name, ['pwd']), '/home/workspace');
      await symlink('project.git', join(harness().folder, 'later.git'));
      await harness().verb('restart', workspace.name);
      assert.deepEqual((await harness().workspace(workspace.name)).warnings, []);
      assert.equal(await harness().sh(workspace.name, 'cat ~/repo/README.md'), '# Project');
      await harness().delete(workspace.name);
    },
  );

  itOfContainers(
    'the engine alone',
    'clones a branch with its submodules, and says what of the repository has not come',
    async () => {
      const folder = await mkdtemp(join(harness().folder, 'parts-'));
      const inner = await makeRepository(folder, { inner: 'from a submodule\n' });
      await rename(inner, join(harness().folder, 'inner.git'));
      const work = join(folder, 'outer');
      const git = (...argv: string[]) => succeed('git', [...author, '-C', work, ...argv]);
      await succeed('git', ['init', '-q', '-b', 'main', work]);
      await git('commit', '-q', '--allow-empty', '-m', 'Begin');
      await git('checkout', '-q', '-b', 'next');
      await git(
        '-c',
        'protocol.file.allow=always',
        'submodule',
        '--quiet',
        'add',
        join(harness().folder, 'inner.git'),
        'sub',
      );
      await git('config', '-f', '.gitmodules', 'submodule.sub.url', '../inner.git');
      await git('config', '-f', '.gitmodules', 'submodule.gone.path', 'gone');
      await git('config', '-f', '.gitmodules', 'submodule.gone.url', '../gone.git');
      await git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},gone`);
      await git('add', '.gitmodules');
      await git('commit', '-q', '-m', 'Next');
      const bare = join(harness().folder, 'outer.git');
      await succeed('git', ['clone', '-q', '--bare', work, bare]);
      await succeed('git', ['-C', bare, 'update-server-info']);
      await succeed('git', ['-C', join(harness().folder, 'inner.git'), 'update-server-info']);
      const { name, warnings } = await harness().create({
        cloneUrl: files.url('outer.git'),
        cloneBranch: 'next',
      });
      assert.equal(
        await harness().sh(name, 'cat sub/inner && git branch --show-current'),
        'from a submodule\nnext',
      );
      assert.equal(await harness().sh(name, 'git -C sub status --porcelain'), '');
      const [warning] = warnings.filter(({ code }) => code === 'clone');
      assert.match(warning?.message ?? '', /Not all submodules were cloned: .*gone/s);
      await harness().delete(name);
    },
  );

  itMostlyOfEngine('fails and undoes all when a post-start script must not fail', async () => {
    const name = harness().name();
    const script = join(harness().folder, 'fails.sh');
    await writeFile(script, 'echo this is why >&2\nexit 3\n');
    const operation = await harness().beginCreate(name, {
      postStart: { scripts: [script], failOnError: true },
    });
    const error = await failure(harness().done(operation));
    assert.match(error.message, /fails\.sh.*exit code 3: this is why/);
    await assertNothingOf(name);
  });

  itOfContainers('the engine alone', 'warns only, when it may fail', async () => {
    const script = join(harness().folder, 'fails.sh');
    const { name, state, warnings } = await harness().create({ postStart: { scripts: [script] } });
    assert.equal(state, 'running');
    assert.match(warnings[0]?.message ?? '', /this is why/);
    await harness().delete(name);
  });

  itMostlyOfEngine('leaves nothing of a create that is cancelled while it clones', async () => {
    const name = harness().name();
    const gate = files.hold();
    const operation = await harness().beginCreate(name, { cloneUrl: files.url('project.git') });
    await gate.entered;
    await cancel(operation.id);
    await failure(harness().done(operation), 'cancelled');
    gate.open();
    await assertNothingOf(name);
  });

  it('leaves nothing of creates that are cancelled at any moment', async () => {
    for (const ms of column === 'container' ? [0, 60, 250, 500, 900] : [0, 250, 900]) {
      const name = harness().name();
      const operation = await harness().beginCreate(name);
      await sleep(ms);
      await cancel(operation.id);
      const { status } = await harness().client.call('operations.get', {
        params: { id: operation.id },
        query: { wait: 30_000 },
      });
      if (status === 'succeeded') {
        await harness().delete(name);
      } else {
        assert.equal(status, 'cancelled');
      }
      await assertNothingOf(name);
    }
  });

  itMostlyOfEngine('keeps a volume that was there before a create that failed', async () => {
    const name = harness().name();
    const volume = `workspace-${name}`;
    await harness().makeVolume(volume);
    const script = join(harness().folder, 'fails.sh');
    const operation = await harness().beginCreate(name, {
      postStart: { scripts: [script], failOnError: true },
    });
    await failure(harness().done(operation));
    assert(await harness().runtime.hasVolume(volume));
    await harness().client.call('volumes.delete', { params: { volume } });
  });

  itOfContainers('the engine alone', 'creates without starting, when told to', async () => {
    const { name, state } = await harness().create({ start: false });
    assert.equal(state, 'stopped');
    await harness().verb('start', name);
    assert.equal(await harness().ssh(name, ['echo', 'up']), 'up');
  });

  itLeavesNothing(harness);
});
