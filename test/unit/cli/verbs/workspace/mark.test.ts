import assert from 'node:assert/strict';
import { useCli, type TestCli } from '../../../../support/engine/cli-engine';

describe('cli: tag, protect', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
  });
  const ok = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await test.berth(words);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it('adds tags, takes them away, and finds workspaces by them', async () => {
    assert.equal(await ok('tag', 'demo', '--add', 'work', '--add', 'api', '--add', 'work'), 'api\nwork\n');
    await ok('create', 'other', '--tag', 'work', '--no-start');
    assert.equal(await ok('tag', 'demo'), 'api\nwork\n');
    assert.equal(await ok('list', '-q', '--tag', 'work'), 'demo\nother\n');
    assert.equal(await ok('list', '-q', '--tag', 'work', '--tag', 'api'), 'demo\n');
    assert.match(await ok('list'), /USED +TAGS\ndemo .* api, work\nother .* work\n$/);
    assert.match(await ok('info', 'demo'), /^tags +api, work$/m);
    assert.equal(await ok('list', '--tag', 'none'), 'No workspaces with the tag none.\n');
    assert.equal(await ok('tag', 'demo', '--remove', 'api', '--remove', 'work'), '');
    assert.doesNotMatch(await ok('info', 'demo'), /^tags/m);
  });

  it('refuses what is no tag, and to take away what is not there', async () => {
    for (const wrong of ['A', '-a', 'a b', '', 'a'.repeat(33)]) {
      assert.equal((await test.berth(['tag', 'demo', `--add=${wrong}`])).code, 2, wrong);
    }
    const { code, stderr } = await test.berth(['tag', 'demo', '--remove', 'x']);
    assert.equal(code, 2);
    assert.match(stderr, /demo has no tag x\.\nhint: It has none\./);
  });

  it('keeps a protected workspace from delete, rebuild and archive, and names the remedy', async () => {
    assert.equal(await ok('protect', 'demo'), 'demo is protected.\n');
    assert.match(await ok('list'), /running, protected/);
    for (const words of [
      ['delete', 'demo', '--yes'],
      ['rebuild', 'demo', '--yes'],
      ['archive', 'demo'],
    ]) {
      const { code, stderr } = await test.berth(words);
      assert.equal(code, 1, words.join(' '));
      assert.match(stderr, /Workspace demo is protected: it can't be (?:deleted|rebuilt|archived) now\./);
      assert.match(stderr, /`berth unprotect demo`/);
    }
    assert.equal(await ok('stop', 'demo'), 'demo is stopped.\n');
    assert.equal(await ok('unprotect', 'demo'), 'demo is no longer protected.\n');
    await ok('delete', 'demo', '--yes');
  });

  it('keeps a protected volume from delete, also with its workspace', async () => {
    test.driver.volumes.add('data');
    assert.equal(
      await ok('volume', 'protect', 'data', 'workspace-demo'),
      'Volume data is protected.\nVolume workspace-demo is protected.\n',
    );
    assert.match(await ok('volume', 'info', 'data'), /^protected +from delete$/m);
    assert.match(await ok('volume', 'list'), /^data +.*, protected /m);
    for (const [words, name] of [
      [['volume', 'delete', 'data', '--yes', '--force'], 'data'],
      [['delete', 'demo', '--yes'], 'workspace-demo'],
    ] as const) {
      const { code, stderr } = await test.berth([...words]);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`Volume ${name} is protected: it can't be deleted now\\.`));
      assert.match(stderr, new RegExp(`\`berth volume unprotect ${name}\``));
    }
    assert.equal(test.services.workspaces.get('demo').state, 'running');
    await ok('delete', 'demo', '--yes', '--keep-volumes');
    assert.equal(await ok('volume', 'unprotect', 'data'), 'Volume data is no longer protected.\n');
    await ok('volume', 'delete', 'data', '--yes');
  });

  it('protects with the create', async () => {
    await ok('create', 'kept', '--protect', '--no-start');
    assert.equal(test.services.workspaces.get('kept').protected, true);
  });
});
