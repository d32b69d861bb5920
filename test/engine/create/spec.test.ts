/** Everything that a spec can hold, seen from inside the workspace. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '../../../src/api/workspaces/schemas';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { FileServer, makeRepository } from '../../support/programs/git-server';
import { succeed } from '../../support/programs';
import { column, itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';

/** Of disks; other volumes have none. */
const sizeMiB = column === 'microvm' ? 64 : undefined;
const token = 'hunter2-$(id)-"quoted"';

describe('create: a full spec', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let files: FileServer;
  let workspace: Workspace;
  let shared: string;
  let frozen: string;

  const path = (name: string) => join(harness().folder, name);

  async function writeInputs(): Promise<void> {
    await writeFile(path('id_work'), 'a key by its name\n');
    await writeFile(path('some-key'), '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END\n');
    await mkdir(join(path('aws'), 'sso'), { recursive: true });
    await writeFile(join(path('aws'), 'config'), '[default]\n');
    await chmod(join(path('aws'), 'config'), 0o600);
    await writeFile(join(path('aws'), 'sso', 'token.pem'), 'pem\n');
    await writeFile(
      path('first.sh'),
      '#!/bin/sh\necho "$(id -un) $GREETING $(pwd)" >>/home/workspace/started\n',
    );
    await mkdir(path('more'));
    await writeFile(join(path('more'), 'b.sh'), 'echo b >>/home/workspace/started\n');
    await writeFile(join(path('more'), 'a.sh'), 'echo a >>/home/workspace/started\n');
    await writeFile(join(path('more'), 'notes.txt'), 'exit 1\n');
    await packBundle('version 1');
  }

  async function packBundle(content: string): Promise<void> {
    await mkdir(path('bundle'), { recursive: true });
    await writeFile(join(path('bundle'), 'data.txt'), content);
    await chmod(join(path('bundle'), 'data.txt'), 0o640);
    await succeed('tar', ['-czf', path('bundle.tgz'), '-C', path('bundle'), '.']);
  }

  before(async () => {
    files = await FileServer.start(harness().folder, harness().docker);
    await makeRepository(harness().folder, { 'README.md': '# Project\n' });
    await writeInputs();
    shared = await harness().makeVolume(`${harness().prefix}-shared`, sizeMiB);
    frozen = await harness().makeVolume(`${harness().prefix}-frozen`, sizeMiB);
    await harness().client.writeFile(frozen, '/file', Buffer.from('kept'), {
      create: true,
      overwrite: false,
    });
    workspace = await harness().create({
      label: 'Full of things',
      cloneUrl: files.url('project.git'),
      env: { GREETING: 'hello "you" $HOME `x`', TWO_LINES: 'one\ntwo' },
      secrets: { TOKEN: token },
      limits: { cpus: 0.5, memoryMiB: 256, pids: 100, shmMiB: 32 },
      volumes: [`${shared}:/data`, `${frozen}:/data-ro:ro`, `${path('bundle.tgz')}:/bundle`],
      credentialFiles: [
        { source: path('id_work'), target: '.ssh/id_work' },
        { source: path('some-key'), target: '~/.config/tool/key' },
        { source: path('aws'), target: '.aws' },
        { source: path('absent'), target: '.absent' },
        { source: path('some-key'), target: '/data-ro/key' },
        { source: path('some-key'), target: '/etc/passwd/key' },
      ],
      postStart: { scripts: [path('first.sh'), path('more'), path('missing.sh')] },
    });
  });
  after(async () => files.close());

  it('runs, with one timed step for each thing that was done', () => {
    assert.equal(workspace.state, 'running');
    assert.equal(workspace.label, 'Full of things');
    const names = workspace.steps.map((step) => step.name);
    assert.deepEqual(
      // Only microVMs need something made of the image.
      [...new Set(names)].filter((step) => step !== 'prepare'),
      ['image', 'container', 'runtime', 'bundles', 'start', 'ssh', 'clone', 'post-start'],
    );
    assert(workspace.steps.every((step) => step.outcome === 'done' && (step.ms ?? -1) >= 0));
    const total = workspace.steps.reduce((sum, step) => sum + (step.ms ?? 0), 0);
    console.log(
      `      ${workspace.steps.map((step) => `${step.name} ${step.ms} ms`).join(', ')} = ${total} ms`,
    );
  });

  it('warns of a missing script and a missing credential, and starts all the same', () => {
    const { warnings } = workspace;
    assert.deepEqual(warnings.map((warning) => warning.code).sort(), ['credentials', 'post-start']);
    assert.match(warnings.find((warning) => warning.code === 'post-start')?.message ?? '', /missing\.sh/);
    const credentials = warnings.find((warning) => warning.code === 'credentials')?.message ?? '';
    assert.match(credentials, /absent/);
    assert.match(credentials, /Not written: \/data-ro\/key: .*Read-only file system/);
    assert.match(credentials, /Not written: \/etc\/passwd\/key: .*File exists/);
  });

  it('clones into /home/workspace/repo and opens there', async () => {
    assert.equal(await harness().sh(workspace.name, 'cat ~/repo/README.md'), '# Project');
    const { folder } = await harness().client.call('workspaces.ssh', { params: { name: workspace.name } });
    assert.equal(folder, '/home/workspace/repo');
  });

  it('starts commands in the clone, in the home when it is gone, and elsewhere when told to', async () => {
    const { name } = workspace;
    const where = 'pwd; echo "$PWD"; env | grep -E "^(OLDPWD|BERTH_)"; true';
    const startsIn = (more?: { user?: string; cwd?: string }) =>
      harness().exec(name, ['sh', '-c', where], more);
    const clone = '/home/workspace/repo\n/home/workspace/repo';
    assert.equal(await startsIn(), clone);
    assert.equal(await startsIn({ user: 'root' }), clone);
    assert.equal(await startsIn({ cwd: '/etc' }), '/etc\n/etc');
    assert.equal(await harness().ssh(name, ['pwd']), '/home/workspace');
    await harness().sh(name, 'mv ~/repo ~/away');
    assert.equal(await startsIn(), '/home/workspace\n/home/workspace');
    await harness().sh(name, 'mv ~/away ~/repo');
  });

  it('shows the home also at /workspace', async () => {
    await harness().sh(workspace.name, 'echo same >/workspace/one-home');
    assert.equal(await harness().sh(workspace.name, 'cat /home/workspace/one-home'), 'same');
  });

  it('puts credentials in with their modes, owned by the user', async () => {
    const names = '.ssh .ssh/id_work .config/tool/key .aws .aws/sso .aws/config .aws/sso/token.pem';
    const modes = await harness().sh(workspace.name, `cd; stat -c '%n %a %U' ${names}`);
    assert.deepEqual(modes.split('\n'), [
      '.ssh 700 workspace',
      '.ssh/id_work 600 workspace',
      '.config/tool/key 600 workspace',
      '.aws 700 workspace',
      '.aws/sso 700 workspace',
      '.aws/config 600 workspace',
      '.aws/sso/token.pem 600 workspace',
    ]);
  });

  it('gives variables and secrets to commands as they are', async () => {
    const { name } = workspace;
    assert.equal(await harness().exec(name, ['printenv', 'GREETING']), 'hello "you" $HOME `x`');
    assert.equal(await harness().exec(name, ['printenv', 'TWO_LINES']), 'one\ntwo');
    assert.equal(await harness().exec(name, ['printenv', 'TOKEN']), token);
  });

  it('keeps secrets out of the record and the API', async () => {
    assert.deepEqual(workspace.spec.secretNames, ['TOKEN']);
    assert(!JSON.stringify(workspace).includes('hunter2'));
    const record = join(harness().home, 'workspaces', workspace.name, 'workspace.json');
    assert(!(await readFile(record, 'utf8')).includes('hunter2'));
  });

  it('runs post-start scripts in order, as the user, with the variables', async () => {
    assert.deepEqual((await harness().sh(workspace.name, 'cat ~/started')).split('\n'), [
      'workspace hello "you" $HOME `x` /home/workspace',
      'a',
      'b',
    ]);
  });

  it('limits memory, processes and shared memory', async () => {
    const { name } = workspace;
    const { memoryLimitBytes } = await harness().client.call('workspaces.stats', { params: { name } });
    assert.equal(memoryLimitBytes, 256 * 1024 * 1024);
    assert.match(await harness().sh(name, 'df -m /dev/shm | tail -1'), /\s32\s/);
    // The shell's own kill needs no process.
    const many = 'trap "kill -9 0" EXIT; i=0; while [ $i -lt 120 ]; do sleep 60 & i=$((i + 1)); done';
    const { stderr } = await harness().client.call('workspaces.exec', {
      params: { name },
      body: { argv: ['sh', '-c', many] },
    });
    assert.match(Buffer.from(stderr, 'base64').toString(), /fork|Resource temporarily unavailable/);
  });

  itOfContainers('limits', 'limits as Docker tells', async () => {
    const { HostConfig: limits } = await harness().container(workspace.name).inspect();
    assert.equal(limits.NanoCpus, 0.5e9);
    assert.equal(limits.Memory, 256 * 1024 * 1024);
    assert.equal(limits.PidsLimit, 100);
    const memory = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null';
    assert.equal(await harness().sh(workspace.name, `${memory} || true`), String(256 * 1024 * 1024));
  });

  it('mounts named volumes, read-only where told', async () => {
    await harness().sh(workspace.name, 'echo kept >/data/file');
    assert.equal(await harness().sh(workspace.name, 'cat /data/file /data-ro/file'), 'kept\nkept');
    const failing = 'touch /data-ro/x 2>&1 || true';
    const said = await harness().exec(workspace.name, ['sh', '-c', failing], { user: 'root' });
    assert.match(said, /read-only/i);
  });

  it('unpacks tar bundles anew at each start', async () => {
    const { name } = workspace;
    assert.equal(await harness().sh(name, 'cat /bundle/data.txt'), 'version 1');
    await harness().exec(name, ['sh', '-c', 'echo junk >/bundle/junk'], { user: 'root' });
    await packBundle('version 2');
    await harness().verb('restart', name);
    assert.equal(await harness().sh(name, 'test ! -e /bundle/junk && cat /bundle/data.txt'), 'version 2');
  });

  it('puts credentials in again at each start, and repeats the scripts', async () => {
    const { name } = workspace;
    await writeFile(path('id_work'), 'another key\n');
    await harness().sh(name, 'rm ~/.ssh/id_work ~/started');
    await harness().verb('restart', name);
    assert.equal(await harness().sh(name, 'cat ~/.ssh/id_work; tail -1 ~/started'), 'another key\nb');
  });

  it('deletes its home and bundle, and leaves the named volume', async () => {
    const deleted = (await harness().delete(workspace.name)).result?.deleted;
    assert.deepEqual(deleted, [`workspace-${workspace.name}`]);
    const volumes = await harness().client.call('volumes.list', {});
    const left = volumes.map((volume) => volume.name).filter((name) => name.includes(harness().prefix));
    assert.deepEqual(left.sort(), [frozen, shared]);
    for (const volume of left) {
      await harness().client.call('volumes.delete', { params: { volume } });
    }
  });

  itLeavesNothing(harness);
});
