import assert from 'node:assert/strict';
import { join } from 'node:path';
import { useCli, type TestCli } from '../../../../support/engine/cli-engine';

describe('cli: set', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => {
    test = await start();
    await test.create('demo', { env: { A: '1', B: '2' }, idle: { pauseAfter: 5 } });
  });
  const spec = () => test.services.workspaces.get('demo').spec;

  it('changes what is named, and keeps the rest', async () => {
    const { code, stdout, stderr } = await test.berth([
      'set',
      'demo',
      '--env',
      'C=3',
      '--env',
      'A=0',
      '--unset-env',
      'B',
      '--idle-stop',
      '2h',
      '--label',
      'x y',
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^demo is changed\. It takes effect with `berth restart demo`\.\n$/);
    assert.deepEqual(spec().env, { A: '0', C: '3' });
    assert.deepEqual(spec().idle, { pauseAfter: 5, stopAfter: 120 });
    assert.equal(test.services.workspaces.get('demo').label, 'x y');
    assert.equal((await test.berth(['set', 'demo', '--idle-pause', '0'])).stdout, 'demo is changed.\n');
    assert.deepEqual(spec().idle, { pauseAfter: 0, stopAfter: 120 });
  });

  it('adds and takes away files and scripts by either of their names', async () => {
    const { home } = test.state;
    await test.berth([
      'set',
      'demo',
      '--credential',
      'a.key:.ssh/a',
      '--credential',
      'b:.b',
      '--post-start',
      'up.sh',
    ]);
    assert.deepEqual(spec().credentialFiles, [
      { source: join(home, 'a.key'), target: '.ssh/a' },
      { source: join(home, 'b'), target: '.b' },
    ]);
    await test.berth(['set', 'demo', '--credential', 'c:.b', '--fail-on-error']);
    assert.deepEqual(spec().credentialFiles?.at(-1), { source: join(home, 'c'), target: '.b' });
    assert.deepEqual(spec().postStart, { scripts: [join(home, 'up.sh')], failOnError: true });
    await test.berth(['set', 'demo', '--unset-credential', '.b', '--unset-credential', 'a.key']);
    await test.berth(['set', 'demo', '--unset-post-start', 'up.sh', '--no-fail-on-error']);
    assert.deepEqual(spec().credentialFiles, []);
    assert.deepEqual(spec().postStart, { scripts: [], failOnError: false });
  });

  it('sets secrets from the environment or standard input, never from an argument', async () => {
    await test.berth(['set', 'demo', '--secret', 'ONE'], { env: { ONE: 's3cret' } });
    const { code, stdout } = await test.berth(['set', 'demo', '--secret', 'TWO', '--json'], {
      input: 'other\n',
    });
    assert.equal(code, 0);
    assert.deepEqual(spec().secretNames, ['ONE', 'TWO']);
    assert(!stdout.includes('other'));
    const { env } = test.driver.configured.get('workspace-demo') ?? {};
    assert.equal(env?.ONE, undefined, 'with the next start');
    assert.equal((await test.berth(['set', 'demo', '--secret', 'A=b'])).code, 2);
  });

  it('refuses a secret that nobody gave a value, and takes one that is empty on purpose', async () => {
    const refused = await test.berth(['set', 'demo', '--secret', 'ONE', '--json'], { input: '' });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /no value for the secret ONE/);
    assert.match(refused.stderr, /"secrets\.ONE"/);
    assert.equal(spec().secretNames, undefined);
    const both = await test.berth(['set', 'demo', '--secret', 'ONE', '--secret', 'TWO'], { input: 'x' });
    assert.equal(both.code, 2);
    assert.equal((await test.berth(['set', 'demo', '--secret', 'ONE'], { input: '\n' })).code, 0);
    assert.equal((await test.berth(['set', 'demo', '--secret', 'TWO'], { env: { TWO: '' } })).code, 0);
    assert.deepEqual(spec().secretNames, ['ONE', 'TWO']);
  });

  it('takes a secret away, and keeps the others', async () => {
    await test.berth(['set', 'demo', '--secret', 'ONE', '--secret', 'TWO'], { env: { ONE: '1', TWO: '2' } });
    const { code, stderr } = await test.berth(['set', 'demo', '--unset-secret', 'ONE', '--secret', 'THREE'], {
      env: { THREE: '3' },
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(spec().secretNames, ['THREE', 'TWO']);
  });

  it('loses nothing when several change it at once', async () => {
    const names = ['C', 'D', 'E', 'F'];
    const changes = names.map((name) => test.berth(['set', 'demo', '--env', `${name}=1`]));
    await Promise.all([...changes, test.berth(['set', 'demo', '--unset-env', 'A'])]);
    assert.deepEqual(Object.keys(spec().env ?? {}).sort(), ['B', ...names]);
  });

  it('refuses what changes nothing, and names that it does not have', async () => {
    assert.equal((await test.berth(['set', 'demo'])).code, 2);
    for (const option of ['--unset-env', '--unset-secret', '--unset-credential', '--unset-post-start']) {
      const { code, stderr } = await test.berth(['set', 'demo', option, 'NONE']);
      assert.deepEqual([code, /does not have/.test(stderr)], [1, true], stderr);
    }
    assert.equal((await test.berth(['set', 'demo', '--idle-stop', 'soon'])).code, 2);
    assert.deepEqual(spec().env, { A: '1', B: '2' });
  });

  it('changes the limits that are named, and sends no others', async () => {
    await test.create('limited', { limits: { cpus: 1, memoryMiB: 512 } });
    const { workspaces } = test.services;
    const update = workspaces.update.bind(workspaces);
    const sent: unknown[] = [];
    workspaces.update = (name, patch) => {
      sent.push(patch);
      return update(name, patch);
    };
    assert.equal((await test.berth(['limits', 'limited', '--cpus', '2'])).code, 0);
    assert.deepEqual(sent, [{ limits: { cpus: 2 } }]);
    assert.deepEqual(workspaces.get('limited').spec.limits, { cpus: 2, memoryMiB: 512 });
  });

  it('says which limits wait, and for what', async () => {
    await test.create('waiting', { limits: { shmMiB: 64 } });
    const { code, stdout } = await test.berth(['limits', 'waiting', '--cpus', '2']);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^warning: Takes effect with the next rebuild: shared memory\. `berth rebuild waiting` keeps/m,
    );
  });
});
