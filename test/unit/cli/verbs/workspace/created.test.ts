/** What `berth create` says at its end, and its exit code. */
import assert from 'node:assert/strict';
import { useCli, type TestCli } from '../../../../support/engine/cli-engine';

const cloneUrl = 'https://example.com/me/project.git';

describe('cli: create', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => (test = await start()));

  it('exits 0 when all is there that was asked for', async () => {
    const { code, stdout } = await test.berth(['create', 'demo']);
    assert.equal(code, 0);
    assert.match(stdout, /^demo is running\.\nOpen it: .*\n$/);
  });

  it('keeps the workspace whose clone failed, exits 1, and says so in the last line', async () => {
    test.driver.commands.set('test', { exitCode: 1 }).set('clone', { exitCode: 128, stderr: 'no such host' });
    const { code, stdout } = await test.berth(['create', 'demo', '--clone', cloneUrl]);
    assert.equal(code, 1);
    assert.match(stdout, /^demo is running\.$/m);
    assert.match(stdout.trimEnd().split('\n').slice(-2).join('\n'), /warning: .*not cloned/);
    assert.equal(test.services.workspaces.get('demo').state, 'running');
  });

  it('does so where a file that was asked for is missing', async () => {
    const { code, stdout } = await test.berth(['create', 'demo', '--credential', '/nowhere/token:t']);
    assert.equal(code, 1);
    assert.match(stdout, /\nwarning: .*\/nowhere\/token/);
  });

  it('says the rule of names in words', async () => {
    const { code, stderr } = await test.berth(['create', 'Nc-Big']);
    assert.equal(code, 2);
    assert.match(stderr, /"Nc-Big" can't be the name of a workspace.*\n.*lowercase letters.*`nc-big`/);
    assert.doesNotMatch(stderr, /\^\[a-z/);
  });

  it('names no field of the API for an option that is only for a clone', async () => {
    const { code, stderr } = await test.berth(['create', 'demo', '--branch', 'next']);
    assert.equal(code, 2);
    assert.match(stderr, /A branch needs a repository.*\n.*`--clone`/);
    assert.doesNotMatch(stderr, /cloneBranch/);
  });
});
