import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { BerthError } from '../../../../../../src/api/errors';
import type { WorkspaceCreate } from '../../../../../../src/api/workspaces/schemas';
import { useEngine, type TestEngine } from '../../../../../support/engine/engine';

describe('services/workspaces/start/starter', () => {
  const { start, home } = useEngine();
  let test: TestEngine;
  beforeEach(async () => (test = await start()));

  const workspace = () => test.services.workspaces.get('demo');
  const codes = () => workspace().warnings.map(({ code }) => code);
  const removals = () => test.driver.calls.filter((call) => /^remove |^setAside /.test(call));
  const restart = () => test.done(test.services.verbs.restart('demo'));
  const url = 'https://example.org/group/project.git';

  it('clones into a draft first, once, and opens the repository from then on', async () => {
    test.driver.commands.set('test', { exitCode: 1 });
    const operation = await test.create('demo', { cloneUrl: url });
    assert.deepEqual(
      test.driver.execs.map(({ argv }) => argv.join(' ')),
      [
        'test -e /home/workspace/repo',
        'rm -rf -- /home/workspace/.berth-clone',
        'git config --get core.sshCommand',
        `git clone -- ${url} /home/workspace/.berth-clone`,
        'git -C /home/workspace/.berth-clone submodule --quiet update --init --recursive',
        'git -C /home/workspace/.berth-clone ls-files -z -- :(attr:filter=lfs)',
        'mv -- /home/workspace/.berth-clone /home/workspace/repo',
      ],
    );
    assert(test.driver.execs.every(({ user }) => user === 'workspace'));
    assert.equal(test.driver.execs[0]?.env?.GIT_TERMINAL_PROMPT, '0');
    const step = operation.steps.find(({ name }) => name === 'clone');
    assert.equal(step?.title, 'Clone https://example.org/group/project.git');
    assert.equal((await test.services.access.ssh('demo')).folder, '/home/workspace/repo');
    test.driver.execs.length = 0;
    await restart();
    assert.deepEqual(test.driver.execs, []);
  });

  it('clones the branch and the depth that are named', async () => {
    test.driver.commands.set('test', { exitCode: 1 });
    await test.create('demo', { cloneUrl: url, cloneBranch: 'next', cloneDepth: 1 });
    const clone = test.driver.execs.find(({ argv }) => argv[1] === 'clone');
    assert.deepEqual(clone?.argv.slice(2, 5), ['--branch=next', '--depth=1', '--']);
    await assert.rejects(test.create('other', { cloneDepth: 1 }), {
      code: 'bad_request',
      field: 'cloneDepth',
    });
  });

  it('takes an agent for a clone alone, and only one that is there', async () => {
    const refused: [Partial<WorkspaceCreate>, RegExp][] = [
      [{ agentSocket: '/nowhere/agent', cloneUrl: url }, /There is no SSH agent at "\/nowhere\/agent"/],
      [{ agentSocket: __filename, cloneUrl: url }, /There is no SSH agent/],
      [{ agentSocket: '/nowhere/agent' }, /needs a repository/],
      [{ agentSocket: '/nowhere/agent', cloneUrl: url, start: false }, /must be started/],
    ];
    for (const [more, message] of refused) {
      await assert.rejects(test.create('demo', more), { code: 'bad_request', field: 'agentSocket', message });
    }
  });

  it('leaves ssh to the variables and the configuration of the user', async () => {
    const sshOf = () => test.driver.execs.find(({ argv }) => argv[1] === 'clone')?.env?.GIT_SSH_COMMAND;
    test.driver.commands.set('test', { exitCode: 1 }).set('config', { exitCode: 1 });
    await test.create('demo', { cloneUrl: url });
    assert.match(sshOf() ?? '', /BatchMode=yes/);
    test.driver.execs.length = 0;
    await test.create('own', { cloneUrl: url, env: { GIT_SSH_COMMAND: 'ssh -i key' } });
    assert.equal(sshOf(), 'ssh -i key');
    test.driver.execs.length = 0;
    test.driver.commands.set('config', { stdout: 'ssh -i mine' });
    await test.create('config', { cloneUrl: url });
    assert.equal(sshOf(), undefined);
  });

  it('says what of a repository has not come, and takes the rest', async () => {
    test.driver.commands.set('test', { exitCode: 1 }).set('ls-files', { stdout: 'a.bin\0b.bin\0' });
    test.driver.commands.set('lfs', { exitCode: 1 }).set('submodule', { exitCode: 1, stderr: 'no sub' });
    const operation = await test.create('demo', { cloneUrl: url });
    assert.match(operation.warnings[0] ?? '', /Not all submodules were cloned: .*no sub/);
    assert.match(operation.warnings[1] ?? '', /Git LFS are there instead of 2 files/);
    assert.equal((await test.services.access.ssh('demo')).folder, '/home/workspace/repo');
  });

  it('takes a repository that is there already', async () => {
    await test.create('demo', { cloneUrl: url });
    assert.deepEqual(
      test.driver.execs.map(({ argv }) => argv[0]),
      ['test'],
    );
    assert.equal((await test.services.access.ssh('demo')).folder, '/home/workspace/repo');
  });

  it('stays usable when the clone fails, says so, and tries again at the next start', async () => {
    test.driver.commands.set('test', { exitCode: 1 }).set('git', { exitCode: 128, stderr: 'not found' });
    const operation = await test.create('demo', { cloneUrl: url });
    assert.equal(operation.status, 'succeeded');
    assert.match(operation.warnings[0] ?? '', /not cloned: git ended with exit code 128: not found/);
    assert.deepEqual(codes(), ['clone']);
    assert.equal(workspace().state, 'running');
    assert.equal((await test.services.access.ssh('demo')).folder, '/home/workspace');
    test.driver.commands.set('git', {});
    await restart();
    assert.deepEqual(codes(), []);
  });

  it('installs git for a clone where the image has none, and says what is missing where that fails', async () => {
    const { commands, execs } = test.driver;
    commands
      .set('test', { exitCode: 1 })
      .set('git', { exitCode: 127 })
      .set('command -v git', { exitCode: 127 });
    const operation = await test.create('demo', { cloneUrl: url });
    assert(operation.steps.some(({ title, outcome }) => title === 'Install git' && outcome === 'done'));
    const ran = execs.map(({ argv, user }) => [
      user,
      argv[0] === '/bin/sh' ? 'sh' : argv.slice(0, 2).join(' '),
    ]);
    const from = ran.findIndex(([, what]) => what === 'git clone');
    assert.deepEqual(ran.slice(from, from + 4), [
      ['workspace', 'git clone'],
      ['workspace', 'sh'],
      ['root', 'sh'],
      ['workspace', 'git clone'],
    ]);
    const install = execs.find(({ user }) => user === 'root');
    commands.set(install?.argv.at(-1) ?? '', { exitCode: 1, stderr: 'no network' });
    await restart();
    const said = workspace().warnings.find(({ code }) => code === 'clone')?.message ?? '';
    assert.match(said, /The image workspace:latest has no git, and it could not be installed: no network/);
  });

  it('shows nothing of a token that an older version has taken with the address', async () => {
    await test.create('demo', { start: false, cloneUrl: url });
    const record = join(home(), 'workspaces', 'demo', 'workspace.json');
    const old = 'https://me:hunter2@example.org/a.git?access_token=hunter2';
    await writeFile(record, (await readFile(record, 'utf8')).replace(url, old));
    const logged: unknown[] = [];
    const note = (fields: object, message: string): void => void logged.push(inspect(fields), message);
    test = await start({ log: { debug: note, info: note, warn: note, error: note } }, test.driver);
    const said = `fatal: unable to access '${old}/': The requested URL returned error: 403`;
    test.driver.commands.set('test', { exitCode: 1 }).set('git', { exitCode: 128, stderr: said });
    const operation = await test.done(test.services.verbs.start('demo'));
    assert.deepEqual(codes(), ['clone']);
    assert.match(JSON.stringify(workspace()), /returned error: 403/);
    assert.doesNotMatch(JSON.stringify([operation, workspace(), test.events, logged]), /hunter2/);
    assert.equal(workspace().spec.cloneUrl, 'https://***@example.org/a.git?***');
  });

  it('runs post-start scripts as the user on every start, the missing ones told', async () => {
    await writeFile(join(home(), 'a.sh'), '#!/bin/sh\n');
    await writeFile(join(home(), 'b'), 'echo');
    const scripts = [join(home(), 'a.sh'), join(home(), 'b'), join(home(), 'missing')];
    const operation = await test.create('demo', { postStart: { scripts } });
    assert.equal(operation.status, 'succeeded');
    assert.deepEqual(
      test.driver.execs.map(({ argv, user }) => `${user}: ${argv.join(' ')}`),
      [
        'workspace: git config --get core.sshCommand',
        'workspace: /tmp/.berth/post-start/00-a.sh',
        'workspace: /bin/sh /tmp/.berth/post-start/01-b',
      ],
    );
    const files = test.driver.configured.get('workspace-demo')?.files.map(({ target }) => target);
    assert.deepEqual(files, ['/tmp/.berth/post-start/00-a.sh', '/tmp/.berth/post-start/01-b']);
    assert.deepEqual(codes(), ['post-start']);
    await restart();
    assert.equal(test.driver.execs.length, 6);
    await writeFile(join(home(), 'missing'), 'echo');
    await restart();
    assert.deepEqual(codes(), [], 'a warning goes with its cause');
  });

  it('fails the start for a failing script only if asked to, and stops what it started', async () => {
    await writeFile(join(home(), 'a.sh'), '#!/bin/sh\n');
    await test.create('demo', {
      start: false,
      postStart: { scripts: [join(home(), 'a.sh')], failOnError: true },
    });
    test.driver.commands.set('/tmp/.berth/post-start/00-a.sh', { exitCode: 1, stdout: 'boom' });
    const operation = await test.done(test.services.verbs.start('demo'));
    assert.equal(operation.status, 'failed');
    assert.match(operation.error?.message ?? '', /a\.sh.*exit code 1: boom/);
    assert.equal(workspace().state, 'stopped');
    assert.equal(workspace().problem?.step, 'start');
    assert.equal(test.driver.runtimes.get('workspace-demo')?.state, 'stopped');
    test.driver.commands.clear();
    await test.done(test.services.verbs.start('demo'));
    assert.equal(workspace().problem, undefined);
  });

  it('tells every credential that could not be put in, not the last one alone', async () => {
    const files = ['one', 'two'].map((name) => ({ source: join(home(), name), target: name }));
    await test.create('demo', { credentialFiles: files });
    const [warning] = workspace().warnings;
    assert.match(warning?.message ?? '', /one was not put in.*\n.*two was not put in/);
    await Promise.all(files.map(({ source }) => writeFile(source, 'x')));
    await restart();
    assert.deepEqual(codes(), []);
    assert.equal(test.driver.configured.get('workspace-demo')?.files.length, 2);
  });

  it('builds the runtime anew when it vanished, on the same volume, and says what is lost', async () => {
    await test.create('demo');
    await test.done(test.services.verbs.stop('demo'));
    test.driver.runtimes.clear();
    const operation = await test.done(test.services.verbs.start('demo'));
    assert.equal(operation.status, 'succeeded');
    assert.match(operation.warnings[0] ?? '', /What lay outside of volumes is gone/);
    assert.equal(test.driver.runtimes.get('workspace-demo')?.state, 'running');
    assert.deepEqual(test.driver.volumes.names, ['workspace-demo']);
    assert.deepEqual(codes(), ['runtime-gone']);
    await restart();
    assert.deepEqual(codes(), [], 'told once');
  });

  describe('a volume that is gone', () => {
    const verbs = ['start', 'restart', 'restore', 'recover'] as const;
    beforeEach(() => test.create('demo', { docker: true, volumes: ['data:/data'] }));

    async function lose(verb: (typeof verbs)[number], ...names: string[]): Promise<void> {
      if (verb === 'recover') {
        test.driver.fail('remove', new BerthError('internal', 'stuck'));
        await test.done(test.services.verbs.delete('demo'));
        test.driver.calls.length = 0;
      } else {
        await test.done(test.services.verbs[verb === 'restore' ? 'archive' : 'stop']('demo'));
      }
      names.forEach((name) => test.driver.volumes.known.delete(name));
    }

    for (const verb of verbs) {
      it(`${verb}: stops, names every one, changes nothing; goes on when told to`, async () => {
        await lose(verb, 'workspace-demo', 'workspace-demo-docker', 'data');
        const before = workspace().state;
        test.driver.calls.length = 0;
        const refused = await test.done(test.services.verbs[verb]('demo'));
        assert.equal(refused.error?.code, 'volume_gone');
        for (const name of ['workspace-demo', 'workspace-demo-docker', 'data']) {
          assert.match(refused.error.message, new RegExp(`The volume ${name} is gone\\.`));
        }
        assert.match(refused.error.hint ?? '', /--accept-empty/);
        assert.equal(workspace().state, before);
        assert.deepEqual(test.driver.volumes.names, []);
        assert.equal(workspace().problem?.code, 'volume_gone');
        // The error says that nothing was changed.
        assert(!test.driver.calls.includes('create workspace-demo'));
        const accepted = await test.done(test.services.verbs[verb]('demo', { acceptEmpty: true }));
        assert.equal(accepted.status, 'succeeded');
        assert.match(accepted.warnings.join(), /data was gone: a new, empty one was made/);
        assert.deepEqual(test.driver.volumes.names, ['data', 'workspace-demo', 'workspace-demo-docker']);
        assert.deepEqual(codes(), ['volume-gone']);
        assert.deepEqual(removals(), []);
      });
    }

    it('is named before a restart or a rebuild stops what runs', async () => {
      test.driver.volumes.known.delete('data');
      const { verbs } = test.services;
      for (const verb of [() => verbs.restart('demo'), () => verbs.rebuild('demo', { confirm: true })]) {
        assert.equal((await test.done(verb())).error?.code, 'volume_gone');
        assert.equal(workspace().state, 'running');
        assert(!test.driver.calls.includes('stop workspace-demo'));
      }
    });

    it('is one that another program made anew under its name, too', async () => {
      await lose('start', 'data');
      test.driver.volumes.add('data');
      const refused = await test.done(test.services.verbs.start('demo'));
      assert.equal(refused.error?.code, 'volume_gone');
      assert.match(refused.error.message, /data is not the one that demo had/);
      assert.match(
        refused.error.hint ?? '',
        /^Go on with the one that is there now, as it is.*--accept-empty/,
      );
      assert.equal(
        (await test.done(test.services.verbs.start('demo', { acceptEmpty: true }))).status,
        'succeeded',
      );
      assert.equal((await restart()).status, 'succeeded', 'it is known from then on');
    });

    it('stops what goes on from its state on disk, too, which no other volume fits', async () => {
      await test.done(test.services.verbs.pause('demo'));
      test.driver.runtimes.get('workspace-demo')!.isSaved = true;
      test.driver.volumes.known.delete('data');
      for (const verb of ['resume', 'start'] as const) {
        const refused = await test.done(test.services.verbs[verb]('demo', { acceptEmpty: true }));
        assert.equal(refused.error?.code, 'volume_gone');
        assert.equal(workspace().state, 'paused');
        assert.match(refused.error.hint ?? '', /`berth stop demo`\. Then `berth start demo --accept-empty`/);
      }
      // As the hint says.
      assert.equal((await test.done(test.services.verbs.stop('demo'))).status, 'succeeded');
      test.driver.runtimes.get('workspace-demo')!.isSaved = false;
      const started = await test.done(test.services.verbs.start('demo', { acceptEmpty: true }));
      assert.equal(started.status, 'succeeded');
    });

    it('is said in other words of the runtime that an archive of Berth 0.1 removed', async () => {
      await test.done(test.services.verbs.archive('demo'));
      const { registry } = test.engine.services.workspaces['deps'];
      await registry.update('demo', { runtimeId: undefined, ownFiles: undefined, volumeIds: undefined });
      test.driver.runtimes.delete('workspace-demo');
      const restored = await test.done(test.services.verbs.restore('demo'));
      assert.equal(restored.status, 'succeeded');
      assert.match(
        restored.warnings.join(),
        /^An earlier version of Berth archived it and removed its container/,
      );
      assert.deepEqual(codes(), ['runtime-gone']);
      assert.deepEqual((await restart()).warnings, [], 'once');
    });
  });

  it('unpacks bundles before every start', async () => {
    await writeFile(join(home(), 'a.tar'), '');
    await test.create('demo', { volumes: [`${join(home(), 'a.tar')}:/a:ro`, 'data:/data'] });
    await restart();
    assert.equal(test.driver.calls.filter((call) => call === 'refreshBundles workspace-demo').length, 2);
    const index = (call: string) => test.driver.calls.indexOf(call);
    assert(index('refreshBundles workspace-demo') < index('start workspace-demo'));
  });

  it('publishes a new host key when the old one was lost', async () => {
    await test.create('demo');
    const before = (await test.services.access.ssh('demo')).hostKey;
    await rm(join(test.state.hostKeys, 'demo'));
    await restart();
    const { hostKey } = await test.services.access.ssh('demo');
    assert.notEqual(hostKey, before);
    assert((await readFile(test.state.knownHosts, 'utf8')).includes(hostKey));
  });

  it('says which secrets are lost', async () => {
    await test.create('demo', { secrets: { TOKEN: 'x' } });
    await writeFile(test.state.secrets, '{damaged');
    assert.equal((await restart()).status, 'succeeded');
    assert.deepEqual(codes(), ['secrets']);
    assert.match(workspace().warnings[0]?.message ?? '', /TOKEN is lost/);
    await test.services.workspaces.update('demo', { secrets: { TOKEN: 'y' } });
    await restart();
    assert.deepEqual(codes(), []);
    assert.equal(test.driver.configured.get('workspace-demo')?.env.TOKEN, 'y');
  });
});
