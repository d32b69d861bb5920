import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FileEntry, Operation, Volume } from '../../../src/api';
import { until } from '../../support/wait';
import { Berth, docker, finished } from './harness';

/** A file without holes, which would be copied in no time. */
function writeFull(path: string, mebibytes: number): void {
  const piece = Buffer.alloc(1024 ** 2, 'not a hole ');
  const file = openSync(path, 'w');
  for (let written = 0; written < mebibytes; written++) writeSync(file, piece);
  closeSync(file);
}

describe('berth cp, ls, cat, mv, rm, mkdir', function () {
  this.timeout(180_000);
  const berth = new Berth();
  const name = `${berth.prefix}-fs`;
  const cache = `${berth.prefix}-cache`;
  const local = (...path: string[]): string => join(berth.folder, ...path);
  const list = async (where: string): Promise<string[]> =>
    (await berth.ok('ls', '-a', where)).split('\n').filter((line) => line !== '');

  before(async () => {
    await Promise.all([berth.ok('create', name), berth.ok('volume', 'create', cache)]);
    mkdirSync(local('tree', 'sub'), { recursive: true });
    writeFileSync(local('tree', 'a.txt'), 'a\n');
    writeFileSync(local('tree', 'sub', 'b.txt'), 'b\n');
    chmodSync(local('tree', 'sub', 'b.txt'), 0o755);
    symlinkSync('a.txt', local('tree', 'link'));
    writeFileSync(local('one.txt'), 'one\n');
  });
  after(() => berth.dispose());

  it('copies a file into a folder, under a new name, and over a file only with --force', async () => {
    await berth.ok('cp', 'one.txt', `${name}:`);
    await berth.ok('cp', local('one.txt'), `${name}:two.txt`);
    assert.equal(await berth.ok('cat', `${name}:one.txt`, `${name}:two.txt`), 'one\none\n');
    writeFileSync(local('one.txt'), 'changed\n');
    const refused = await berth.run(['cp', 'one.txt', `${name}:two.txt`]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /hint: Add --force/);
    assert.equal(await berth.ok('cat', `${name}:two.txt`), 'one\n');
    await berth.ok('cp', '--skip', 'one.txt', `${name}:two.txt`);
    assert.equal(await berth.ok('cat', `${name}:two.txt`), 'one\n');
    await berth.ok('cp', '--force', 'one.txt', `${name}:two.txt`);
    assert.equal(await berth.ok('cat', `${name}:two.txt`), 'changed\n');
  });

  it('copies beside what exists with --keep-both', async () => {
    await berth.ok('mkdir', `${name}:both`);
    await berth.ok('cp', 'one.txt', `${name}:both`);
    await berth.ok('cp', '--keep-both', 'one.txt', `${name}:both`);
    assert.equal((await list(`${name}:both`)).length, 2);
  });

  it('tells what it skipped and renamed', async () => {
    const skipped = await berth.run(['cp', '--skip', 'one.txt', `${name}:both`]);
    assert.equal(skipped.code, 0);
    assert.ok(skipped.stderr.includes(`– ${name}:both/one.txt: `), skipped.stderr);
    const renamed = await berth.run(['cp', '--keep-both', 'one.txt', `${name}:both`]);
    assert.ok(renamed.stderr.includes(`✓ ${name}:both/one.txt is ${name}:both/one`), renamed.stderr);
  });

  it('exits 1 when something could not be copied, and says what and why', async () => {
    mkdirSync(local('odd'));
    writeFileSync(local('odd', 'good'), 'good');
    execFileSync('mkfifo', [local('odd', 'pipe')]);
    const { code, stderr } = await berth.run(['cp', 'odd', `${name}:odd`]);
    assert.equal(code, 1);
    assert.match(stderr, /✗ .*odd\/pipe: it is neither/);
    assert.deepEqual(await list(`${name}:odd`), ['good']);
  });

  it('asks once on a terminal what to do with what exists', async () => {
    writeFileSync(local('one.txt'), 'asked\n');
    const question = /\[r\]eplace, \[s\]kip, \[k\]eep both, or cancel\?/;
    const cancelled = await berth.terminal(['cp', 'one.txt', `${name}:two.txt`], [[question, 'x\r']]);
    assert.equal(cancelled.code, 130, cancelled.stdout);
    assert.equal(await berth.ok('cat', `${name}:two.txt`), 'changed\n');
    const replaced = await berth.terminal(['cp', 'one.txt', `${name}:two.txt`], [[question, 'r\r']]);
    assert.equal(replaced.code, 0, replaced.stdout);
    assert.equal(await berth.ok('cat', `${name}:two.txt`), 'asked\n');
  });

  it('copies a folder as cp -r does: into an existing one, or as a new one', async () => {
    await berth.ok('cp', '-r', 'tree', `${name}:new`);
    assert.deepEqual(await list(`${name}:new`), ['a.txt', 'link', 'sub/']);
    await berth.ok('cp', 'tree', `${name}:new`);
    assert.ok((await list(`${name}:new`)).includes('tree/'));
    await berth.ok('cp', 'tree/.', `${name}:contents`);
    assert.deepEqual(await list(`${name}:contents`), ['a.txt', 'link', 'sub/']);
    const inside = await berth.ok(
      'exec',
      name,
      '--',
      'sh',
      '-c',
      'cd new; readlink link; stat -c "%a %U" sub/b.txt',
    );
    assert.equal(inside, 'a.txt\n755 workspace\n');
  });

  it('copies out, folders and their contents', async () => {
    await berth.ok('cp', `${name}:new/sub`, 'out');
    assert.equal(readFileSync(local('out', 'b.txt'), 'utf8'), 'b\n');
    await berth.ok('cp', `${name}:new/a.txt`, `${name}:new/sub/b.txt`, 'out', '--force');
    assert.deepEqual(readdirSync(local('out')).sort(), ['a.txt', 'b.txt']);
    await berth.ok('cp', `${name}:/home/workspace/new/.`, 'all');
    assert.deepEqual(readdirSync(local('all')).sort(), ['a.txt', 'link', 'sub', 'tree']);
  });

  it('copies from every volume, also when what comes from one of them is in the way', async () => {
    await berth.ok('cp', 'one.txt', `${name}:first`);
    await berth.ok('cp', 'one.txt', `volume:${cache}:/second`);
    mkdirSync(local('both'));
    writeFileSync(local('both', 'first'), 'mine');
    const argv = ['cp', `${name}:first`, `volume:${cache}:/second`, 'both'];
    const { code, stderr } = await berth.run(argv);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /hint: Add --force/);
    assert.equal(readFileSync(local('both', 'first'), 'utf8'), 'mine');
    assert.equal(readFileSync(local('both', 'second'), 'utf8'), readFileSync(local('one.txt'), 'utf8'));
    await berth.ok('rm', `${name}:first`, `volume:${cache}:/second`);
  });

  it('copies between volumes, and from a stopped workspace', async () => {
    await berth.ok('stop', name);
    await berth.ok('cp', `${name}:new/a.txt`, `volume:${cache}:/`);
    await berth.ok('cp', `${name}:new`, `volume:${cache}:/copy`);
    assert.deepEqual(await list(cache), ['a.txt', 'copy/']);
    await berth.ok('cp', 'one.txt', `${name}:while-stopped.txt`);
    await berth.ok('start', name);
    const seen = await berth.ok('exec', name, '--', 'cat', '/home/workspace/while-stopped.txt');
    assert.equal(seen, 'asked\n');
  });

  const refusals: [string, string[], RegExp][] = [
    ['a source that is not there', ['cp', 'none.txt', `${name}:`], /There is nothing at "none.txt"/],
    ['a source that is not inside', ['cp', `${name}:none`, '.'], /There is nothing at/],
    ['a folder over a file', ['cp', 'tree', `${name}:two.txt`], /is a file/],
    ['several under one name', ['cp', 'one.txt', 'tree', `${name}:nowhere`], /There is no folder/],
    ['into a folder that is not there', ['cp', 'one.txt', `${name}:nowhere/`], /There is no folder/],
    ['into a local folder that is not there', ['cp', `${name}:one.txt`, 'no/where/x'], /There is no folder/],
    ['an unknown name', ['cp', 'one.txt', `${berth.prefix}-none:`], /no workspace and no volume/],
    ['to leave a volume', ['cat', `volume:${cache}:/../etc/passwd`], /contains "\.\."/],
    ['a folder without -r', ['rm', `${name}:new`], /folder/],
    ['the root', ['rm', '-r', `${name}:`], /root of a volume/],
    ['a file that is not there', ['cat', `${name}:none`], /none/],
  ];
  for (const [what, argv, message] of refusals) {
    it(`refuses ${what}`, async () => {
      const { code, stderr, stdout } = await berth.run(argv);
      assert.ok(code === 1 || code === 2, `${code}`);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    });
  }

  it('lists long, and as JSON', async () => {
    const long = await berth.ok('ls', '-l', `${name}:new`);
    assert.match(long, /MODE +OWNER +SIZE +CHANGED +NAME\n/);
    assert.match(long, /lrw.* link -> a\.txt/);
    assert.match(long, /drwx.* 1000:1000 +- .* sub\//);
    const entries = await berth.json<FileEntry[]>('ls', `${name}:new/a.txt`);
    assert.deepEqual([entries.length, entries[0]?.size], [1, 2]);
  });

  it('makes harmless what a guest names its files', async () => {
    await berth.ok('exec', name, '--', 'sh', '-c', 'mkdir bad; touch "bad/$(printf "x\\033[2Jy")"');
    const { stdout } = await berth.terminal(['ls', `${name}:bad`], []);
    assert.equal(stdout.trim(), "'x'$'\\033''[2Jy'");
    assert.deepEqual(await list(`${name}:bad`), ['x\u001b[2Jy'], 'a program reads it as it is');
    const [entry] = await berth.json<FileEntry[]>('ls', `${name}:bad`);
    assert.equal(entry?.name, 'x\u001b[2Jy');
  });

  it('makes, moves and removes', async () => {
    await berth.ok('mkdir', '-p', `${name}:m/n`);
    await berth.ok('mv', `${name}:one.txt`, `${name}:m/n`);
    await berth.ok('mv', `${name}:m/n/one.txt`, `${name}:m/renamed.txt`);
    assert.deepEqual(await list(`${name}:m`), ['n/', 'renamed.txt']);
    await berth.ok('mv', `${name}:m/renamed.txt`, `volume:${cache}:/moved.txt`);
    assert.deepEqual(await list(`${name}:m`), ['n/']);
    assert.ok((await list(cache)).includes('moved.txt'));
    for (const target of [`${name}:m/other`, `volume:${cache}:/other`]) {
      const { code, stderr } = await berth.run(['mv', `${name}:nope`, target]);
      assert.deepEqual([code, stderr.includes(`There is nothing at "${name}:nope".`)], [1, true], stderr);
    }
    const { stderr } = await berth.run(['mv', `${name}:m/n`, `${name}:none/n`]);
    assert.match(stderr, new RegExp(`The folder that ${name}:none/n would be in is not there`));
    await berth.ok('rm', '-r', `${name}:m`);
    await berth.ok('rm', `volume:${cache}:/moved.txt`);
    assert.equal((await berth.run(['ls', `${name}:m`])).code, 1);
  });

  it('cancels a copy on Ctrl-C, exits 130, and leaves nothing of it', async () => {
    writeFull(local('big'), 1536);
    const child = berth.spawn(['cp', 'big', `${name}:big`]);
    const ended = finished(child, 'berth cp');
    await until('the copy to be under way', async () =>
      (await berth.json<Operation[]>('operations')).some(
        ({ status, progress }) => status === 'running' && (progress?.done ?? 0) > 0,
      ),
    );
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.ok(!(await list(name)).includes('big'));
    const [last] = await berth.json<Operation[]>('operations');
    assert.equal(last?.status, 'cancelled');
  });

  it('shows the progress of bytes on a terminal', async () => {
    writeFull(local('big'), 300);
    const { code, stdout } = await berth.terminal(['cp', 'big', `volume:${cache}:/big`], []);
    assert.equal(code, 0);
    assert.match(stdout, /[█░]{20} +\d+% {2}.* \/ 300 MiB/);
    assert.ok(stdout.includes('\u001b[?25h'));
  });

  it('creates, lists, shows and deletes volumes', async () => {
    const volumes = await berth.json<Volume[]>('volume', 'list');
    assert.ok(volumes.some((volume) => volume.name === cache));
    assert.match(await berth.ok('volume', 'list'), new RegExp(`${cache} +docker +named`));
    assert.match(await berth.ok('volume', 'info', cache), /used +\d/);
    const held = await berth.run(['volume', 'delete', `workspace-${name}`, '--yes']);
    assert.equal(held.code, 1);
    assert.match(held.stderr, new RegExp(name));
    assert.equal((await berth.run(['volume', 'delete', cache])).code, 2);
    assert.equal(await berth.ok('volume', 'delete', cache, '--yes'), `Volume ${cache} is deleted.\n`);
    assert.equal((await berth.run(['volume', 'info', cache])).code, 1);
  });

  it('adopts a volume that another tool made', async () => {
    const adopted = `${berth.prefix}-adopt`;
    await docker.createVolume({ Name: `workspace-${adopted}` });
    assert.match(await berth.ok('adopt'), new RegExp(`${adopted} +workspace-${adopted} +-`));
    await berth.ok('adopt', adopted);
    assert.ok((await berth.ok('list', '-q')).split('\n').includes(adopted));
    assert.equal((await berth.run(['adopt', `${berth.prefix}-none`])).code, 1);
    await berth.ok('delete', adopted, name, '--yes');
    assert.deepEqual(await berth.volumes(), []);
    assert.ok(!existsSync(join(berth.home, 'workspaces', adopted)));
  });

  it('lists images', async () => {
    assert.match(await berth.ok('image', 'list'), /IMAGE +ID +SIZE[^]*workspace:latest/);
  });
});
