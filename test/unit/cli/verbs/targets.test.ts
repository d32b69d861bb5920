import assert from 'node:assert/strict';
import { useCli, type TestCli } from '../../../support/engine/cli-engine';

describe('cli: lists of what is on several machines', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => {
    test = await start();
    assert.equal((await test.berth(['create', 'here'])).code, 0);
    test.driver.isElsewhere = true;
    assert.equal((await test.berth(['create', 'there'])).code, 0);
    const made = test.driver.volumes.add('data');
    test.driver.volumes.known.set('data', { ...made, target: 'box' });
  });
  const out = async (...argv: string[]): Promise<string> => (await test.berth(argv)).stdout.trim();

  it('shows the machine of a workspace where it is another one', async () => {
    const shown = await out('list');
    assert.match(shown, /^here .* container {2}/m);
    assert.match(shown, /^there .* container on box {2}/m);
  });

  it('creates a workspace where it is told to, and nowhere else', async () => {
    assert.equal((await test.berth(['create', 'told', '--target', 'box'])).code, 0);
    assert.equal(await out('list', '-q', '--target', 'box'), 'there\ntold');
    const { code, stderr } = await test.berth(['create', 'astray', '--target', 'local']);
    assert.equal(code, 1);
    assert.match(stderr, /There is no target "local" for a container: each is made on box now\./);
    assert.match(
      stderr,
      /Leave the target out, or use "box"\. Another Docker is chosen by the setting dockerHost/,
    );
    assert.ok(!(await out('list', '-q')).includes('astray'));
    test.driver.isElsewhere = false;
    assert.equal((await test.berth(['create', 'home', '--target', 'local'])).code, 0);
    assert.equal(await out('list', '-q', '--target', 'local'), 'here\nhome');
  });

  it('lists the workspaces of one machine', async () => {
    assert.equal(await out('list', '-q', '--target', 'box'), 'there');
    assert.equal(await out('list', '-q', '--target', 'local'), 'here');
    assert.equal(await out('list', '--target', 'nowhere'), 'No workspaces on nowhere.');
    assert.deepEqual(JSON.parse(await out('list', '--target', 'nowhere', '--json')), []);
  });

  it('shows the machine of a volume, and lists those of one machine', async () => {
    assert.match(await out('volume', 'list'), /^data +docker on box /m);
    assert.match(await out('volume', 'info', 'data'), /^kind +docker on box$/m);
    const names = async (target: string): Promise<string[]> =>
      (JSON.parse(await out('volume', 'list', '--target', target, '--json')) as { name: string }[]).map(
        ({ name }) => name,
      );
    assert.deepEqual(await names('box'), ['data']);
    assert.ok(!(await names('local')).includes('data'));
    assert.equal(await out('volume', 'list', '--target', 'nowhere'), 'No volumes on nowhere.');
  });
});
