/** What a command leaves behind is on this machine afterwards, whatever became of the command. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '../../../src/api';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountSmallDisk, unmount } from '../../support/files/small-disk';
import { skipWithout } from '../../support/skip';
import { Berth } from './harness';

describe('berth exec --output, berth run', function () {
  this.timeout(120_000);
  const berth = new Berth();
  const name = `${berth.prefix}-out`;
  before(() => berth.ok('create', name, '-v', `${berth.prefix}-data:/data`));
  after(() => berth.dispose());
  const local = (path: string) => join(berth.folder, path);
  const sh = (script: string) => ['--', 'sh', '-c', script];

  it('copies files and folders out of home and volumes, and passes the exit code', async () => {
    const outputs = [
      '--output',
      'new/file=/home/workspace/a/file',
      '--output',
      'dir=~/a',
      '--output',
      'd=/data/x',
    ];
    const script = 'sudo chmod 777 /data; mkdir -p ~/a; echo 1 >~/a/file; echo 2 >/data/x; exit 7';
    const { code, stderr } = await berth.run(['exec', name, ...outputs, ...sh(script)]);
    assert.equal(code, 7, stderr);
    assert.equal(await readFile(local('new/file'), 'utf8'), '1\n');
    assert.deepEqual(await readdir(local('dir')), ['file']);
    assert.equal(await readFile(local('d'), 'utf8'), '2\n');
  });

  it('replaces what the last run left, under the very same name', async () => {
    const out = ['--output', 'dir=a', '--output', 'new/file=/workspace/a/file'];
    await berth.run(['exec', name, ...out, ...sh('echo again >~/a/file')]);
    assert.equal(await readFile(local('new/file'), 'utf8'), 'again\n');
    assert.deepEqual(await readdir(local('dir')), ['file']);
    assert.equal(await readFile(local('dir/file'), 'utf8'), 'again\n');
  });

  it('tells what is missing, and copies the rest', async () => {
    const out = ['--output', 'none=/home/workspace/none', '--output', 'there=/home/workspace/a/file'];
    const { code, stderr } = await berth.run(['exec', name, ...out, ...sh('true')]);
    assert.equal(code, 1);
    assert.match(stderr, /output \/home\/workspace\/none is missing/);
    assert(existsSync(local('there')) && !existsSync(local('none')));
  });

  it('puts beside what it can not replace what would be lost with its workspace, and says where', async () => {
    await mkdir(local('taken/inner'), { recursive: true });
    await writeFile(local('full'), 'mine');
    const script = 'echo made >~/file; mkdir ~/folder; echo in >~/folder/x';
    const out = ['--output', 'taken=file', '--output', 'full=folder'];
    const { code, stderr } = await berth.run(['run', ...out, ...sh(script)]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /taken is .*taken \(2\)[^]*full is .*full \(2\)/);
    assert.deepEqual(
      [await readdir(local('taken')), await readFile(local('full'), 'utf8')],
      [['inner'], 'mine'],
    );
    assert.equal(await readFile(local('taken (2)'), 'utf8'), 'made\n');
    assert.equal(await readFile(local('full (2)/x'), 'utf8'), 'in\n');
  });

  it('refuses before the command runs what can not be copied', async () => {
    for (const output of ['x', '=a', 'x=', 'x=/home/workspace', 'x=/', 'x=../..']) {
      const { code, stderr } = await berth.run(['exec', name, '--output', output, ...sh('touch ~/ran')]);
      assert.equal(code, 2, `${output}: ${stderr}`);
    }
    assert.equal((await berth.run(['exec', name, ...sh('test -e ~/ran')])).code, 1);
  });

  it('runs one command in a workspace that is gone afterwards', async () => {
    await mkdir(local('r'), { recursive: true });
    const argv = [
      'run',
      '--env',
      'A=b',
      '--output',
      'r/out=out',
      ...sh('echo "$A" >~/out; echo said; exit 3'),
    ];
    const { code, stdout, stderr } = await berth.run(argv);
    assert.equal(code, 3, stderr);
    assert.equal(stdout, 'said\n');
    assert.equal(await readFile(local('r/out'), 'utf8'), 'b\n');
    const left = await berth.json<Workspace[]>('list');
    assert.deepEqual(
      left.map((workspace) => workspace.name),
      [name],
    );
  });

  describe('of a run, with no room for them here', () => {
    const disk = () => local('small');
    before(function () {
      if (!mountSmallDisk(disk(), '1M')) {
        skipWithout(this, 'this user may not mount a small disk');
      }
    });
    after(() => unmount(disk()));

    it('keeps the workspace, and says its name and how to get the files', async () => {
      const script = 'head -c 3000000 /dev/zero >~/big; echo said';
      const out = ['--output', 'small/big=big', '--output', 'fits=/etc/hostname', '--output', 'none=none'];
      const { code, stdout, stderr } = await berth.run(['run', ...out, ...sh(script)]);
      assert.deepEqual([code, stdout], [1, 'said\n'], stderr);
      const kept = /The workspace (run-\w+) is kept/.exec(stderr)?.[1] ?? '';
      assert.match(stderr, new RegExp(`berth cp ${kept}:big ${disk()}/big.*berth delete ${kept}`));
      assert.equal(stderr.split('is kept').length, 2, 'of a missing one nothing is to be had');
      assert(existsSync(local('fits')));
      // Longer than an engine waits for clients of temporary ones.
      await sleep(12_000);
      const { temporary } = await berth.json<Workspace>('info', kept);
      assert.equal(temporary, undefined);
      await berth.ok('cp', `${kept}:big`, local('big'));
      assert.equal((await stat(local('big'))).size, 3_000_000);
      await berth.ok('delete', kept, '--yes');
    });
  });

  it('leaves nothing when it can not even begin', async () => {
    const { code } = await berth.run(['run', '--image', 'nobody/has:this', ...sh('true')]);
    assert.notEqual(code, 0);
    assert.equal((await berth.json<Workspace[]>('list')).length, 1);
  });
});
