import assert from 'node:assert/strict';
import { CapturedOutput } from '../../../../../src/cli/captured';
import { readable, terminalOf } from '../../../../../src/cli/verbs/workspace/exec';
import { useCli, type TestCli } from '../../../../support/engine/cli-engine';
import { failure } from '../../../../support/errors';
import { until } from '../../../../support/wait';

describe('cli: exec', () => {
  const { start } = useCli();
  let test: TestCli;
  beforeEach(async () => {
    test = await start();
    await test.create('demo');
    test.driver.commands.set('cat', { stdout: 'echo', endless: true });
    test.driver.commands.set('sleep', { endless: true });
  });
  const lastPlan = () => test.driver.execs.at(-1);

  it('leaves the input of a loop alone with -n', async () => {
    test.driver.commands.set('true', {});
    for (const options of [['-n'], ['--no-stdin'], ['-n', '--json']]) {
      const { code } = await test.berth(['exec', 'demo', ...options, '--', 'true'], {
        input: 'more lines\n',
      });
      assert.equal(code, 0);
    }
  });

  it('ends what takes too long, with the code of timeout(1)', async () => {
    const plain = await test.berth(['exec', 'demo', '--timeout', '0.1s', '--', 'sleep']);
    assert.deepEqual([plain.code, plain.stdout], [124, '']);
    assert.match(plain.stderr, /took longer than 100 ms and was ended/);
    await until('it has ended', () => test.services.access.sessionsOf('demo') === 0);
    const json = await test.berth(['exec', 'demo', '--json', '--timeout', '0.1', '--', 'sleep']);
    assert.equal(json.code, 124);
    assert.equal((JSON.parse(json.stdout) as { timedOut: boolean }).timedOut, true);
    test.driver.commands.set('true', { exitCode: 3 });
    assert.equal((await test.berth(['exec', 'demo', '--timeout', '1h', '--', 'true'])).code, 3);
    for (const wrong of ['soon', '0', '2d', '-1']) {
      assert.equal((await test.berth(['exec', 'demo', `--timeout=${wrong}`, '--', 'true'])).code, 2, wrong);
    }
  });

  it('ends in time also what a frozen Docker keeps from beginning', async () => {
    const gate = test.driver.hold('exec');
    const plain = await test.berth(['exec', 'demo', '--timeout', '0.2s', '--output', 'x=x', '--', 'sleep']);
    assert.deepEqual([plain.code, plain.stdout], [124, '']);
    assert.equal(plain.stderr, 'The command took longer than 200 ms and was ended.\n');
    const json = await test.berth(['exec', 'demo', '--json', '--timeout', '0.2', '--', 'sleep']);
    assert.equal(json.code, 124);
    assert.equal((JSON.parse(json.stdout) as { timedOut: boolean }).timedOut, true);
    gate.open();
    await until('they have ended', () => test.services.access.sessionsOf('demo') === 0);
  });

  it('refuses ids that nobody can have, and what is no name of a user, before anything is run', async () => {
    for (const [user, words] of [
      ['4294967296', /There can't be a user with the id 4294967296: ids go up to 2147483647/],
      ['0:2147483648', /There can't be a group with the id 2147483648/],
      ['-1', /"user" does not have the right form/],
      ['0:99999999999999', /"user" does not have the right form/],
    ] as const) {
      const { code, stderr } = await test.berth(['exec', 'demo', `--user=${user}`, '--', 'true']);
      assert.equal(code, 2, user);
      assert.match(stderr, words);
    }
    const request = { argv: ['true'], user: '4294967296' };
    const never = new AbortController().signal;
    await failure(test.services.access.exec('demo', request, never), 'bad_request');
    assert.equal(test.driver.execs.length, 0);
  });

  it('passes the kind of this terminal where it makes one, unless told otherwise', async () => {
    test.driver.commands.set('true', {});
    const env = { TERM: 'xterm-kitty', COLORTERM: 'truecolor' };
    await test.berth(['exec', 'demo', '-t', '--', 'true'], { env });
    assert.equal(lastPlan()?.env?.TERM, 'xterm-kitty');
    assert.equal(lastPlan()?.env?.COLORTERM, 'truecolor');
    await test.berth(['exec', 'demo', '-t', '--env', 'TERM=vt100', '--', 'true'], { env });
    assert.equal(lastPlan()?.env?.TERM, 'vt100');
    await test.berth(['exec', 'demo', '-t', '--', 'true']);
    assert.equal(lastPlan()?.env?.TERM, 'xterm-256color');
    await test.berth(['exec', 'demo', '--', 'true'], { env });
    assert.equal(lastPlan()?.env?.TERM, undefined);
    assert.deepEqual(terminalOf({ TERM: '' }), {});
  });

  it('runs with --json at once, also while its own input is left open', async () => {
    test.driver.commands.set('say', { stdout: 'x' });
    const { code, stdout } = await test.berth(['exec', 'demo', '--json', '--', 'say'], { openInput: true });
    assert.equal(code, 0);
    assert.equal((JSON.parse(stdout) as { stdout: string }).stdout, 'x');
  });

  it('passes its input with --json, and says when output was cut off', async () => {
    const captured = new CapturedOutput(4);
    captured.stdout.write('abc');
    captured.stderr.write('de');
    assert.deepEqual(
      [captured.of('stdout'), captured.of('stderr'), captured.truncated],
      [Buffer.from('abc').toString('base64'), Buffer.from('d').toString('base64'), true],
    );
    const timeout = ['--timeout', '2'];
    const { stdout } = await test.berth(['exec', 'demo', '--json', ...timeout, '--', 'cat'], {
      input: 'given',
    });
    assert.match((JSON.parse(stdout) as { stdout: string }).stdout, /given/);
  });

  it('answers in text what is text, and says so of what is none', async () => {
    test.driver.commands.set('say', { stdout: 'grün\n', stderr: 'oh\n', exitCode: 4 });
    const { code, stdout } = await test.berth(['exec', 'demo', '--json', '--', 'say']);
    assert.equal(code, 4);
    assert.deepEqual(JSON.parse(stdout), {
      ...{ exitCode: 4, stdout: 'grün\n', stderr: 'oh\n', encoding: 'utf8' },
      ...{ truncated: false, timedOut: false },
    });
    const answer = (bytes: Buffer, truncated: boolean) => ({
      ...{ exitCode: 0, stdout: bytes.toString('base64'), stderr: '', truncated, timedOut: false },
    });
    const cut = Buffer.from('grü').subarray(0, 3);
    assert.deepEqual(readable(answer(cut, true)), { ...answer(cut, true), stdout: 'gr', encoding: 'utf8' });
    assert.deepEqual(readable(answer(cut, false)), { ...answer(cut, false), encoding: 'base64' });
    const mark = Buffer.from('\ufeffx');
    assert.equal(readable(answer(mark, false)).stdout, '\ufeffx', 'a byte order mark is content');
  });
});
