import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadableResult } from '../../../src/cli/verbs/workspace/exec';
import { Berth, finished } from './harness';

describe('berth exec, ssh, logs, stats', function () {
  this.timeout(120_000);
  const berth = new Berth();
  const name = `${berth.prefix}-in`;
  before(() => berth.ok('create', name));
  after(() => berth.dispose());

  it('runs a command with its outputs apart and its exit code', async () => {
    const outcome = await berth.run(['exec', name, '--', 'sh', '-c', 'echo out; echo err >&2; exit 42']);
    assert.deepEqual(outcome, { code: 42, stdout: 'out\n', stderr: 'err\n' });
  });

  it('keeps arguments as they are', async () => {
    const outcome = await berth.run(['exec', name, '--', 'printf', '%s|', 'a b', '$HOME', "'", '--json', '']);
    assert.equal(outcome.stdout, "a b|$HOME|'|--json||");
  });

  it('passes standard input through, all of it', async () => {
    const input = randomBytes(8 * 1024 * 1024);
    const { stdout } = await berth.run(['exec', name, '--', 'sha256sum'], { input });
    assert.equal(stdout.slice(0, 64), createHash('sha256').update(input).digest('hex'));
  });

  it('takes variables, folder and user', async () => {
    const options = ['--env', 'A=b c', '--cwd', '/tmp', '--user', 'root'];
    const outcome = await berth.run(['exec', name, ...options, '--', 'sh', '-c', 'echo "$A $PWD $(id -un)"']);
    assert.equal(outcome.stdout, 'b c /tmp root\n');
    assert.equal((await berth.ok('exec', name, '--', 'id', '-un')).trim(), 'workspace');
  });

  it('answers all at once with --json, exit code included', async () => {
    const { code, stdout } = await berth.run(['exec', name, '--json', '--', 'sh', '-c', 'cat; exit 3'], {
      input: 'in',
    });
    const answer = JSON.parse(stdout) as ReadableResult;
    assert.equal(code, 3);
    assert.equal(answer.exitCode, 3);
    assert.deepEqual([answer.stdout, answer.encoding], ['in', 'utf8']);
  });

  it('ends what takes too long, and reads nothing when told so', async () => {
    const begun = Date.now();
    const { code } = await berth.run(['exec', name, '--timeout', '1s', '--', 'sleep', '986']);
    assert.equal(code, 124);
    assert(Date.now() - begun < 20_000);
    await eventually(async () => !(await processes()).includes('sleep 986'));
    const loop = 'while read -r x; do "$0" "$1" exec "$2" -n -- echo "<$x>"; done';
    const { stdout } = await berth.shell(loop, [name], 'one\ntwo\n');
    assert.equal(stdout, '<one>\n<two>\n');
  });

  it('tells programs of this terminal what the image knows of, and of no other', async () => {
    const cases: [string, string][] = [
      ['dumb', 'dumb'],
      ['vt100', 'vt100'],
      ['xterm-kitty', 'xterm-256color'],
      ['../../x', 'xterm-256color'],
    ];
    for (const [given, seen] of cases) {
      const env = { TERM: given, COLORTERM: 'truecolor' };
      const argv = ['exec', '-t', name, '--env', 'name=n', '--env', 'd=d', '--', 'sh', '-c'];
      const said = await berth.run([...argv, 'echo $TERM $COLORTERM $name $d'], { env });
      assert.equal(said.stdout, `${seen} truecolor n d\r\n`);
    }
  });

  it('gives a terminal on a terminal, with its size', async () => {
    const { stdout } = await berth.terminal(
      [
        'exec',
        name,
        '-it',
        '--',
        'sh',
        '-c',
        'test -t 0 && test -t 1 && echo is a terminal; read x; echo "<$x>"',
      ],
      [[/is a terminal/, 'typed\r']],
    );
    assert.match(stdout, /is a terminal\r+\n[^]*<typed>\r+\n/);
  });

  it('gives a terminal without one here: all output, the exit code, and an end of input', async () => {
    const cases: { argv: string[]; input: string; output: RegExp; code: number }[] = [
      { argv: ['echo', 'hi'], input: '', output: /^hi\r\n/, code: 0 },
      { argv: ['sh', '-c', 'sleep 1; test -t 0 && echo done; exit 7'], input: '', output: /done/, code: 7 },
      {
        argv: ['sh', '-c', 'echo START; cat; echo END'],
        input: 'abc\n',
        output: /START[^]*abc[^]*END/,
        code: 0,
      },
      { argv: ['sh', '-c', 'cat; echo END'], input: 'no line', output: /no line[^]*END/, code: 0 },
      { argv: ['sh'], input: 'echo $((6*7))\n', output: /42/, code: 0 },
      { argv: ['bash'], input: '', output: /exit/, code: 0 },
    ];
    for (const { argv, input, output, code } of cases) {
      const outcome = await berth.run(['exec', '-t', name, '--', ...argv], { input });
      assert.equal(outcome.code, code, `${argv.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
      assert.match(outcome.stdout, output, argv.join(' '));
    }
    const onTerminals = async (): Promise<string[]> =>
      (await processes()).split('\n').filter((line) => /^pts/.test(line));
    await eventually(async () => (await onTerminals()).length === 0);
  });

  it('opens the login shell without a command', async () => {
    const { code, stdout } = await berth.terminal(['exec', name], [[/\$ /, 'echo $((6*7)); exit 5\r']]);
    assert.equal(code, 5, stdout);
    assert.match(stdout, /\r42\r+\n/);
  });

  it('ends the command inside when it is interrupted', async () => {
    const child = berth.spawn(['exec', name, '--', 'sleep', '987']);
    const ended = finished(child, 'berth exec');
    await eventually(async () => (await processes()).includes('sleep 987'));
    child.kill('SIGINT');
    assert.equal((await ended).code, 130);
    await eventually(async () => !(await processes()).includes('sleep 987'));
  });

  async function processes(): Promise<string> {
    return berth.ok('exec', name, '--', 'ps', '-eo', 'tty,args');
  }

  it('says what is wrong with a command that is not there', async () => {
    const outcome = await berth.run(['exec', name, '--', '/no/such/program']);
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.stderr + outcome.stdout, /no\/such\/program|not found/);
  });

  it('refuses where nothing runs, in the words of the API', async () => {
    const { code, stderr } = await berth.run(['exec', `${berth.prefix}-none`, '--', 'true']);
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*\n(hint: .*\n)?$/);
  });

  it('logs in with the real ssh and passes its exit code and its input', async () => {
    const outcome = await berth.run(['ssh', name, '--', 'cat; exit 9'], { input: 'through ssh' });
    assert.deepEqual({ code: outcome.code, stdout: outcome.stdout }, { code: 9, stdout: 'through ssh' });
  });

  it('starts a stopped one to log in', async () => {
    await berth.ok('stop', name);
    const outcome = await berth.run(['ssh', name, '--', 'whoami']);
    assert.deepEqual({ code: outcome.code, stdout: outcome.stdout }, { code: 0, stdout: 'workspace\n' });
  });

  it('shows the log, whole, its tail, and while it grows', async () => {
    const whole = await berth.ok('logs', name);
    assert.equal(typeof whole, 'string');
    const child = berth.spawn(['logs', name, '-f', '--tail', '1']);
    const ended = finished(child, 'berth logs -f');
    // Before that it has not begun, on a busy machine.
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    assert.equal((await ended).code, 0);
    const lines = (await berth.ok('logs', name, '--json')).split('\n').filter((line) => line !== '');
    lines.forEach((line) => assert.equal(typeof (JSON.parse(line) as { line: string }).line, 'string'));
  });

  it('measures what it uses', async () => {
    const stats = await berth.json<{ memoryBytes: number; pids: number }>('stats', name);
    assert.ok(stats.memoryBytes > 0 && stats.pids > 0);
    assert.match(await berth.ok('stats', name), /cpu +[\d.]+ %/);
  });

  it('shows and installs the ssh config', async () => {
    const userConfig = `${berth.folder}/user-config`;
    assert(/ours +(.+)/.exec(await berth.ok('ssh-config'))?.[1] === join(berth.home, 'ssh/config'));
    const relative = await berth.json<{ userConfig: string }>(
      'ssh-config',
      '--install',
      '--user-config',
      'user-config',
    );
    assert.equal(relative.userConfig, userConfig, 'of the folder in which it was called');
    const shown = await berth.json<{ included: boolean }>('ssh-config', '--user-config', 'user-config');
    assert.equal(shown.included, true, 'of the file that is asked about');
    const outcome = await berth.json<{ configFile: string }>('ssh', name);
    assert.equal(outcome.configFile, `${berth.home}/ssh/config`);
  });

  it('completes names of workspaces', async () => {
    assert.equal(await berth.ok('__complete', '--', 'ssh', berth.prefix), `${name}\n`);
    assert.match(await berth.ok('__complete', '--', 'cp', berth.prefix), new RegExp(`^${name}:\n`));
  });
});

async function eventually(isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await isTrue())) {
    assert.ok(Date.now() < end, 'It did not become true within 15 s.');
    await sleep(200);
  }
}
