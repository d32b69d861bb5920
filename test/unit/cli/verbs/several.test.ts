import assert from 'node:assert/strict';
import { useCli, type TestCli } from '../../../support/engine/cli-engine';

describe('cli: verbs with several names', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => {
    test = await start();
    for (const name of ['v1', 'v2']) {
      test.driver.volumes.add(name);
      (await test.driver.volumes.files(name)).contents.set('/p', Buffer.from(`${name} `));
    }
  });
  const left = async (name: string) => [...(await test.driver.volumes.files(name)).contents.keys()];

  it('deletes all volumes that are there, says what is not, and what is done', async () => {
    const outcome = await test.berth(['volume', 'delete', 'v1', 'nope', 'v2', '--yes']);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /^error: There is no volume nope/);
    assert.equal(outcome.stdout, 'Volume v1 is deleted.\nVolume v2 is deleted.\n');
    assert.deepEqual(test.driver.volumes.names, []);
  });

  it('deletes a session volume by its whole name only', async () => {
    test.driver.volumes.add('sandkasten-ws-v1');
    assert.equal((await test.berth(['volume', 'delete', 'v1', '--yes'])).code, 0);
    const again = await test.berth(['volume', 'delete', 'v1', '--yes']);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /There is no volume v1\..*`berth volume delete sandkasten-ws-v1`/s);
    assert.deepEqual(test.driver.volumes.names, ['sandkasten-ws-v1', 'v2']);
  });

  it('has the same in its JSON', async () => {
    const outcome = await test.berth(['volume', 'delete', 'nope', 'v1', '--yes', '--json']);
    assert.equal(outcome.code, 1);
    assert.deepEqual(JSON.parse(outcome.stdout), [{ name: 'v1', deleted: true }]);
    assert.equal((JSON.parse(outcome.stderr) as { error: { code: string } }).error.code, 'not_found');
  });

  it('fails with the code of the first that failed, and with one name in its own words', async () => {
    test.driver.down = true;
    assert.equal((await test.berth(['volume', 'delete', 'v1', 'v2', '--yes'])).code, 75);
    test.driver.down = false;
    const one = await test.berth(['volume', 'delete', 'nope', '--yes']);
    assert.deepEqual([one.code, one.stdout, one.stderr.match(/error:/g)?.length], [1, '', 1]);
  });

  it('removes, reads and makes what it can', async () => {
    const read = await test.berth([
      'cat',
      'volume:v1:/p',
      'volume:v1:/none',
      'volume:nope:/p',
      'volume:v2:/p',
    ]);
    assert.deepEqual([read.code, read.stdout], [1, 'v1 v2 ']);
    assert.equal(read.stderr.match(/^error: /gm)?.length, 2);
    assert.match(read.stderr, /^error: There is nothing at "volume:v1:\/none"\.$/m);
    const removed = await test.berth(['rm', '--json', 'volume:v1:/p', 'nope:/p', 'volume:v2:/p']);
    assert.equal(removed.code, 1);
    assert.deepEqual(JSON.parse(removed.stdout), [
      { volume: 'v1', path: '/p' },
      { volume: 'v2', path: '/p' },
    ]);
    assert.match(removed.stderr, /named \\"nope\\"/);
    assert.deepEqual([...(await left('v1')), ...(await left('v2'))], []);
    const made = await test.berth(['mkdir', '--json', 'nope:/d', 'volume:v1:/d']);
    assert.equal(made.code, 1);
    assert.equal((JSON.parse(made.stdout) as object[]).length, 1);
  });

  it('says how to delete all, where a root is to be removed', async () => {
    const root = await test.berth(['rm', '-r', 'v1']);
    assert.match(root.stderr, /`berth delete v1` deletes the workspace/);
    const volume = await test.berth(['rm', '-r', 'volume:v1:/']);
    assert.match(volume.stderr, /`berth volume delete v1` deletes the volume/);
  });

  it('asks for no consent to what is not there', async () => {
    const outcome = await test.berth(['delete', 'nope']);
    assert.deepEqual(
      [outcome.code, outcome.stderr.split('\n')[0]],
      [1, 'error: There is no workspace nope.'],
    );
  });

  it('touches nothing when one of them can not be meant', async () => {
    for (const bad of [
      'volume:v2:/',
      './local',
      'volume:v2:/a/../b',
      'v2:a/..',
      'v2:a/./',
      'volume:v2:/a/.',
    ]) {
      const outcome = await test.berth(['rm', 'volume:v1:/p', bad]);
      assert.equal(outcome.code, 2, outcome.stderr);
    }
    assert.deepEqual(await left('v1'), ['/p']);
  });

  it('neither removes nor moves a file that is named like a folder, and makes none of that name', async () => {
    for (const argv of [
      ['rm', 'volume:v1:/p/'],
      ['rm', '-r', 'v1:p/'],
      ['mv', 'v1:p/', 'v1:q'],
      ['mv', 'v1:p', 'v1:none/'],
      ['mv', 'v1:p/.', 'v1:q'],
    ]) {
      const outcome = await test.berth(argv);
      assert.notEqual(outcome.code, 0, argv.join(' '));
      assert.match(outcome.stderr, /is a file, not a folder|no folder|ends in a dot/);
    }
    assert.deepEqual(await left('v1'), ['/p']);
  });

  it('copies nothing onto itself, nor beside itself under a name that nobody gave', async () => {
    for (const argv of [
      ['v1:p', 'v1:p'],
      ['--force', 'v1:p', 'volume:v1:/p'],
    ]) {
      const outcome = await test.berth(['cp', ...argv]);
      assert.notEqual(outcome.code, 0, argv.join(' '));
      assert.match(outcome.stderr, /p would be copied onto itself/);
    }
    assert.deepEqual(await left('v1'), ['/p']);
  });

  it('starts and deletes workspaces by the same rule', async () => {
    await test.create('a');
    await test.create('b');
    const stopped = await test.berth(['stop', 'a', 'nope', 'b']);
    assert.deepEqual([stopped.code, stopped.stdout], [1, 'a is stopped.\nb is stopped.\n']);
    assert.match(stopped.stderr, /^error: There is no workspace nope/m);
    const deleted = await test.berth(['delete', 'nope', 'a', 'b', '--yes']);
    assert.deepEqual([deleted.code, deleted.stdout], [1, 'a is deleted.\nb is deleted.\n']);
  });
});
