import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { skipWithout } from '../../../../support/skip';
import { hasCode, startAgent, TestVolume } from './harness';

describe('uploads into a volume', function () {
  this.timeout(20_000);
  let volume: TestVolume;
  const at = (...path: string[]): string => join(volume.root, ...path);
  const put = (path: string, text: string): void => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  };

  beforeEach(async () => {
    volume = await TestVolume.create();
    put(at('t/a.txt'), 'old');
    put(at('t/d/b'), 'old');
  });
  afterEach(() => volume.dispose());

  async function staged(): Promise<string> {
    const stage = await volume.files.stage();
    put(at(stage, 'a.txt'), 'new');
    put(at(stage, 'd/b'), 'new');
    put(at(stage, 'd/c'), 'new');
    return stage;
  }

  it('hides the stage, holds the agent, and lets go of both', async () => {
    const stage = await staged();
    assert.deepEqual(
      (await volume.files.list('/')).entries.map(({ name }) => name),
      ['t'],
    );
    assert.equal((await volume.files.usage('/')).files, 2);
    assert.equal(statSync(at(stage)).mode & 0o777, 0o700);
    assert.equal(volume.held, 1);
    await volume.files.unstage(stage);
    assert.equal(volume.held, 0);
    assert.deepEqual(readdirSync(volume.root), ['t']);
    await volume.files.unstage(stage);
  });

  it('ends where nothing can be made: the folder of the volume was removed', async () => {
    await volume.files.list('/');
    rmSync(volume.root, { recursive: true });
    await assert.rejects(volume.files.stage(), hasCode('path_not_found'));
    assert.equal(volume.held, 0);
  });

  it('overwrites files, merges folders, keeps mode and owner of what it replaces', async () => {
    chmodSync(at('t/a.txt'), 0o751);
    chownSync(at('t/a.txt'), 12, 13);
    const result = await volume.files.merge(await staged(), '/t', 'overwrite');
    assert.deepEqual(result, { files: 3, skipped: [], renamed: [], failed: [] });
    assert.equal(readFileSync(at('t/a.txt'), 'utf8') + readFileSync(at('t/d/b'), 'utf8'), 'newnew');
    const status = statSync(at('t/a.txt'));
    assert.deepEqual([status.mode & 0o777, status.uid, status.gid], [0o751, 12, 13]);
    assert.deepEqual(readdirSync(volume.root), ['t']);
  });

  it('skips', async () => {
    const result = await volume.files.merge(await staged(), '/t', 'skip');
    assert.deepEqual(result, { files: 1, skipped: ['/a.txt', '/d/b'], renamed: [], failed: [] });
    assert.equal(readFileSync(at('t/a.txt'), 'utf8'), 'old');
    assert.ok(existsSync(at('t/d/c')));
  });

  it('renames what is at the top as a whole', async () => {
    put(at('t/a (2).txt'), 'also there');
    const result = await volume.files.merge(await staged(), '/t', 'rename');
    assert.deepEqual(result.renamed, [
      { from: '/a.txt', to: '/a (3).txt' },
      { from: '/d', to: '/d (2)' },
    ]);
    assert.equal(result.files, 3);
    assert.deepEqual(readdirSync(at('t/d (2)')), ['b', 'c']);
    assert.deepEqual(readdirSync(at('t/d')), ['b']);
  });

  it('fails at the first thing in the way', async () => {
    await assert.rejects(volume.files.merge(await staged(), '/t', 'fail'), hasCode('path_exists'));
    assert.equal(readFileSync(at('t/a.txt'), 'utf8'), 'old');
    assert.deepEqual(readdirSync(volume.root), ['t']);
  });

  it('neither replaces a folder by a file nor the other way round, nor goes through a link', async () => {
    const stage = await volume.files.stage();
    put(at(stage, 'd'), 'a file');
    put(at(stage, 'a.txt/x'), 'in a folder');
    symlinkSync('/etc', at('t/link'));
    put(at(stage, 'link/x'), 'through a link');
    const { failed, files } = await volume.files.merge(stage, '/t', 'overwrite');
    assert.deepEqual(
      failed.map(({ path }) => path),
      ['/a.txt', '/d', '/link'],
    );
    assert.equal(files, 0);
    assert.ok(!existsSync('/etc/x'));
  });

  it('replaces no device', async function () {
    if (spawnSync('mknod', [at('t/null'), 'c', '1', '3']).status !== 0) {
      skipWithout(this, 'devices are made by root alone');
    }
    const stage = await volume.files.stage();
    put(at(stage, 'null'), 'text');
    const { failed, files } = await volume.files.merge(stage, '/t', 'overwrite');
    assert.deepEqual([failed.map(({ path }) => path), files], [['/null'], 0]);
    const copied = volume.files.copy('/t/a.txt', '/t/null', { overwrite: true });
    await assert.rejects(copied, hasCode('not_supported'));
    const renamed = volume.files.rename('/t/a.txt', '/t/null', { overwrite: true });
    await assert.rejects(renamed, hasCode('not_supported'));
    const written = volume.files.write('/t/null', Buffer.from('x'), { create: true, overwrite: true });
    await assert.rejects(written, hasCode('bad_request'));
    assert.ok(statSync(at('t/null')).isCharacterDevice());
  });

  it('sweeps what a dead upload left, and no living one', async () => {
    const stage = await staged();
    const other = await startAgent(volume.root);
    try {
      mkdirSync(at('.berth-stage-00000000000000ad/deep'), { recursive: true });
      const { ok } = await other.channel.request('sweep');
      assert.equal(ok.swept, 1);
      assert.ok(existsSync(at(stage, 'a.txt')));
      assert.ok(!existsSync(at('.berth-stage-00000000000000ad')));
    } finally {
      other.channel.end();
    }
    await volume.kill();
    await assert.rejects(volume.files.merge(stage, '/t', 'overwrite'), hasCode('gone'));
    const { ok } = await (await volume.channel()).request('sweep');
    assert.equal(ok.swept, 1);
  });

  it('takes stages and half-written files along when its input ends', async () => {
    const agent = await startAgent(volume.root);
    await agent.channel.request('stage');
    await agent.channel.request('open_write', { path: '/half', create: true, overwrite: true });
    const ended = new Promise((resolve) => agent.child.once('exit', resolve));
    agent.channel.end();
    assert.equal(await ended, 0);
    assert.deepEqual(readdirSync(volume.root), ['t']);
  });
});
