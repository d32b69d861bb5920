import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BerthError } from '../../../../../src/api/errors';
import { useEngine, type TestEngine } from '../../../../support/engine/engine';
import { failure } from '../../../../support/errors';
import { turns, until } from '../../../../support/wait';

const run = promisify(execFile);
const never = new AbortController().signal;

describe('services/workspaces/access', () => {
  const { start } = useEngine();
  let test: TestEngine;
  beforeEach(async () => {
    test = await start();
    await test.create('demo', { env: { A: 'spec', B: 'spec' }, secrets: { B: 'secret', C: 'secret' } });
  });
  const access = () => test.services.access;

  it('runs a command as the user, in the home, with spec, secrets and its own variables', async () => {
    test.driver.commands.set('id', { exitCode: 2, stdout: 'out', stderr: 'err' });
    const result = await access().exec('demo', { argv: ['id'], env: { C: 'own' } }, never);
    assert.deepEqual(result, {
      exitCode: 2,
      stdout: Buffer.from('out').toString('base64'),
      stderr: Buffer.from('err').toString('base64'),
      truncated: false,
      timedOut: false,
    });
    const plan = test.driver.execs.at(-1);
    assert.equal(plan?.user, 'workspace');
    assert.equal(plan.cwd, '/home/workspace');
    assert.deepEqual(plan.env, { A: 'spec', B: 'secret', C: 'own' });
  });

  it('gives secrets to the user and to root, and the spec to everyone', async () => {
    const envOf = async (user: string) => {
      await access().exec('demo', { argv: ['id'], user }, never);
      const byExec = test.driver.execs.at(-1)?.env;
      await access().attach('demo', { argv: ['id'], user });
      assert.deepEqual(test.driver.execs.at(-1)?.env, byExec);
      return byExec;
    };
    assert.deepEqual(await envOf('root'), { A: 'spec', B: 'secret', C: 'secret' });
    assert.deepEqual(await envOf('nobody'), { A: 'spec', B: 'spec' });
  });

  it('starts in the clone, unless it is told where', async () => {
    await test.create('cloned', { cloneUrl: 'https://example.org/x.git' });
    const places = () => {
      const { cwd, preferredCwd } = test.driver.execs.at(-1) ?? {};
      return [cwd, preferredCwd];
    };
    await access().exec('cloned', { argv: ['id'] }, never);
    assert.deepEqual(places(), ['/home/workspace', '/home/workspace/repo']);
    await access().attach('cloned', { argv: ['id'] });
    assert.deepEqual(places(), ['/home/workspace', '/home/workspace/repo']);
    await access().exec('cloned', { argv: ['id'], cwd: '/tmp' }, never);
    assert.deepEqual(places(), ['/tmp', undefined]);
    await access().exec('demo', { argv: ['id'] }, never);
    assert.deepEqual(places(), ['/home/workspace', undefined]);
  });

  it('says what to do when it does not run', async () => {
    await test.done(test.services.verbs.stop('demo'));
    const error = await failure(access().exec('demo', { argv: ['id'] }, never), 'illegal_state');
    assert.equal(error.message, "Workspace demo is stopped: commands can't run in it now.");
    assert.equal(error.hint, 'Start it first: `berth start demo`.');
    await failure(access().attach('demo', { argv: ['sh'] }), 'illegal_state');
    await failure(access().stats('demo'), 'illegal_state');
    await test.done(test.services.verbs.archive('demo'));
    assert.equal((await failure(access().stats('demo'))).hint, 'Restore it first: `berth restore demo`.');
    await failure(access().exec('none', { argv: ['id'] }, never), 'not_found');
  });

  it('counts no client whose command could not even be tried', async () => {
    const gone = new BerthError('runtime_unavailable', 'Gone.');
    Object.assign(test.driver, { target: () => Promise.reject(gone) });
    await failure(access().exec('demo', { argv: ['id'] }, never), 'runtime_unavailable');
    await failure(access().attach('demo', { argv: ['id'] }), 'runtime_unavailable');
    assert.equal(access().sessionsOf('demo'), 0);
  });

  it('counts its clients, and notes the use at both ends', async () => {
    test.driver.commands.set('sh', { endless: true });
    const before = test.services.workspaces.get('demo').lastUsedAt;
    await new Promise((resolve) => setTimeout(resolve, 3));
    const sessions = await Promise.all([1, 2].map(() => access().attach('demo', { argv: ['sh'] })));
    assert.equal(access().sessionsOf('demo'), 2);
    assert(test.services.workspaces.get('demo').lastUsedAt > before);
    await sessions[0]?.kill();
    await turns();
    assert.equal(access().sessionsOf('demo'), 1);
    await sessions[1]?.kill();
    await turns();
    assert.equal(access().sessionsOf('demo'), 0);
  });

  it('counts a command that fails or is cancelled no longer than it takes', async () => {
    test.driver.fail('exec', new Error('no'));
    await assert.rejects(access().exec('demo', { argv: ['id'] }, never));
    assert.equal(access().sessionsOf('demo'), 0);
    test.driver.commands.set('sleep', { endless: true });
    const abort = new AbortController();
    const running = access().exec('demo', { argv: ['sleep'] }, abort.signal);
    await until('it runs', () => access().sessionsOf('demo') === 1);
    abort.abort();
    await failure(running, 'cancelled');
    assert.equal(access().sessionsOf('demo'), 0);
  });

  it('gives the result of a command whose workspace was deleted meanwhile', async () => {
    test.driver.commands.set('sleep', { endless: true });
    const running = access().exec('demo', { argv: ['sleep'], timeoutMs: 60 }, never);
    await until('it runs', () => access().sessionsOf('demo') === 1);
    await test.done(test.services.verbs.delete('demo'));
    assert.equal((await running).timedOut, true);
    assert.equal(access().sessionsOf('demo'), 0);
  });

  it('tells how to log in, such that the real client agrees', async () => {
    const target = await access().ssh('demo');
    const { port, user, host } = target;
    assert.deepEqual({ user, host }, { user: 'workspace', host: '127.0.0.1' });
    const [program, ...args] = target.command;
    const { stdout } = await run(program ?? '', ['-G', ...args]);
    assert.match(stdout, new RegExp(`^port ${port}$`, 'm'));
    assert(stdout.includes(`identityfile ${target.identityFile}`));
    const known = await run('ssh-keygen', ['-F', target.alias, '-f', target.knownHostsFile]);
    assert(known.stdout.includes(target.hostKey));
    assert.equal(target.folder, '/home/workspace');
  });

  it('gives stats of a paused one, and logs of a stopped one', async () => {
    await test.done(test.services.verbs.pause('demo'));
    assert.equal((await access().stats('demo')).pids, 4);
    await test.done(test.services.verbs.stop('demo'));
    const options = { tail: 5, follow: false, timestamps: false, signal: never };
    const chunks = await (await access().logs('demo', options)).toArray();
    assert.equal(Buffer.concat(chunks as Buffer[]).toString(), 'tail 5\n');
  });
});
