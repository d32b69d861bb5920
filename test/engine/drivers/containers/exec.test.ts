import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { BerthError } from '../../../../src/api/errors';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import { expectedEnvironment, printEnvironment } from '../../../support/exec-table';
import { Bench, eventually, execute, text } from './support';

/** What it says where it is none of those that are known to be right. */
function codeOf(error: unknown): string {
  const isRight = error instanceof BerthError && ['illegal_state', 'not_found'].includes(error.code);
  return isRight ? error.code : inspect(error, { depth: 4 });
}

describe('commands in a container', function () {
  this.timeout(120_000);
  let bench: Bench;
  let plan: RuntimePlan;
  before(async () => {
    bench = await Bench.open();
    plan = await bench.running(
      { env: { COLOUR: 'red', BOTH: 'spec' } },
      { env: { COLOUR: 'red', SECRET: "it's\nso" } },
    );
  });
  after(() => bench.dispose());

  const processes = async (marker: string): Promise<number> => {
    const argv = ['sh', '-c', `ps -eo args | grep -c "[${marker[0] ?? ''}]${marker.slice(1)}" || true`];
    return Number((await bench.exec(plan.name, { argv, user: 'root' })).stdout);
  };

  it('hands on both outputs, the exit code, and input until its end', async () => {
    const ran = await bench.exec(
      plan.name,
      { argv: ['sh', '-c', 'cat; echo problem >&2; exit 7'] },
      'in\n'.repeat(1000),
    );
    assert.deepEqual(ran, { code: 7, stdout: 'in\n'.repeat(1000), stderr: 'problem\n' });
  });

  it('gives user, folder and environment of a login, and what comes with the command wins', async () => {
    const argv = [
      'sh',
      '-c',
      'id -un; pwd; echo "$HOME $USER $COLOUR $BOTH"; echo "$SECRET"; env | grep -c BERTH_',
    ];
    const ran = await bench.exec(plan.name, { argv, env: { BOTH: 'exec', HOME: '/tmp' } });
    assert.equal(ran.stdout, "workspace\n/home/workspace\n/tmp workspace red exec\nit's\nso\n0\n");
    const empty = await bench.exec(plan.name, { argv: ['sh', '-c', 'echo "$HOME"'], env: { HOME: '' } });
    assert.equal(empty.stdout, '/home/workspace\n', 'as Docker has it');
    const asRoot = await bench.exec(plan.name, {
      argv: ['sh', '-c', 'id -u; pwd'],
      user: 'root',
      cwd: '/etc',
    });
    assert.equal(asRoot.stdout, '0\n/etc\n');
  });

  it('tells each user who he is, and secrets only to those whose they are', async () => {
    for (const [user, expected] of Object.entries(expectedEnvironment("it's\nso"))) {
      const { stdout } = await bench.exec(plan.name, { argv: printEnvironment, user });
      assert.equal(stdout, expected, user);
    }
    const given = { HOME: '/x', USER: 'y', SHELL: '/z', SECRET: 'own' };
    const { stdout } = await bench.exec(plan.name, { argv: printEnvironment, user: 'nobody', env: given });
    assert.equal(stdout, '/x|y|nobody|/z|C.UTF-8|red|own|0\n');
  });

  it('takes every argument as it is', async () => {
    const odd = ['', ' ', '$HOME', '`id`', `'"\\`, 'a\nb', '-n', 'größe'];
    const ran = await bench.exec(plan.name, { argv: ['printf', '%s|', ...odd] });
    assert.equal(ran.stdout, odd.map((word) => `${word}|`).join(''));
  });

  it('answers 127 for a command that is not there', async () => {
    const ran = await bench.exec(plan.name, { argv: ['no-such-command'] });
    assert.equal(ran.code, 127);
    assert.match(ran.stderr, /no-such-command.*not found/);
  });

  it('says without delay that a command can not begin, as docker exec does', async () => {
    const reasons = [{ cwd: '/no-such-folder' }, { user: 'no-such-user' }, { user: '0:no-such-group' }];
    const times: number[] = [];
    for (const reason of reasons) {
      const begun = performance.now();
      const { code, stderr } = await bench.exec(plan.name, { argv: ['true'], ...reason });
      times.push(performance.now() - begun);
      assert.equal(code, 126);
      assert.match(stderr, /^berth: not started: there is no (folder|user|group) /);
    }
    // Each waited two seconds for an end of the container. The quickest, as others use this machine too.
    assert.ok(Math.min(...times) < 1500, times.join(' ms, '));
  });

  it('runs the programs of the image, as docker exec does', async () => {
    const commands = [
      [
        'sh',
        '-c',
        'echo "$0"; readlink /proc/$$/exe; type -p find; grep -P "^ro\\\\w" /etc/passwd',
        'the name',
      ],
      ['/bin/sh', '-c', 'find /etc/passwd -printf "%f %s"; exec date -d @5 +%N'],
      ...['tar', 'grep', 'find', 'date', 'ls', 'sed', 'awk', 'sort'].map((name) => [name, '--version']),
      ...[['-c'], [''], ['no-such-command'], ['/etc/passwd'], ['./nothing'], ['a*'], ['awk']],
    ];
    for (const argv of commands) {
      const docker = ['exec', '--user', 'workspace', '--workdir', '/home/workspace', plan.name, ...argv];
      const [expected, found] = [await execute('docker', docker), await bench.exec(plan.name, { argv })];
      // Of what can not be started each says it in words of its own.
      assert.equal(found.code >= 126, expected.code >= 126, argv.join(' '));
      if (expected.code < 126) {
        assert.deepEqual(found, expected, argv.join(' '));
      }
    }
  });

  it('carries a lot, both ways', async () => {
    const session = await bench.driver.exec(plan.name, { argv: ['cat'], user: 'workspace' });
    const sent = Buffer.alloc(8 * 1024 * 1024, 'x');
    const answer = text(session.stdout);
    session.stderr.resume();
    session.stdin.end(sent);
    assert.equal((await answer).length, sent.length);
    assert.equal(await session.exit, 0);
  });

  it('opens a terminal of the right size, changes it, and merges the outputs', async () => {
    const session = await bench.driver.exec(plan.name, {
      argv: ['sh', '-c', 'stty size; read line; stty size; echo "got $line"; echo err >&2; exit 3'],
      user: 'workspace',
      tty: { cols: 101, rows: 41 },
    });
    let seen = '';
    session.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await eventually('the first size', () => seen.includes('41 101'));
    await session.resize(80, 25);
    session.stdin.write('hello\n');
    assert.equal(await session.exit, 3);
    assert.match(seen, /25 80\r\ngot hello\r\nerr\r\n$/);
    assert.equal(await text(session.stderr), '');
  });

  it('ends a whole tree: children, other groups, other users, what ignores TERM', async () => {
    const script = `
      trap '' TERM HUP
      (trap '' TERM HUP; sleep 4242) &
      setsid sleep 4242 &
      sudo sleep 4242 &
      echo ready; wait`;
    const session = await bench.driver.exec(plan.name, { argv: ['bash', '-c', script], user: 'workspace' });
    await new Promise((ready) => session.stdout.once('data', ready));
    await eventually('the children', async () => (await processes('sleep 4242')) >= 3);
    await session.kill();
    const code = await session.exit;
    assert.ok(code === 137 || code === 143 || code === 129, `exit code ${code}`);
    assert.equal(await processes('sleep 4242'), 0);
    await session.kill();
  });

  it('ends one command and leaves its neighbour alone', async () => {
    const open = (seconds: string) =>
      bench.driver.exec(plan.name, {
        argv: ['sleep', seconds],
        user: 'workspace',
        tty: { cols: 80, rows: 24 },
      });
    const [one, two] = await Promise.all([open('3131'), open('3232')]);
    await eventually(
      'both',
      async () => (await processes('sleep 3131')) + (await processes('sleep 3232')) === 2,
    );
    await one.kill();
    await one.exit;
    assert.equal(await processes('sleep 3131'), 0);
    assert.equal(await processes('sleep 3232'), 1);
    await two.kill();
    await two.exit;
  });

  it('counts who is attached: SSH connections, commands, not our own helpers', async () => {
    const count = (): Promise<number> => bench.driver.attached(plan.name);
    await eventually('nobody', async () => (await count()) === 0);
    const shell = await bench.driver.exec(plan.name, { argv: ['sleep', '100'], user: 'workspace' });
    await eventually('one', async () => (await count()) === 1);
    const login = bench.ssh(plan, 'sleep 3');
    const another = bench.ssh(plan, 'sleep 3');
    await eventually('three', async () => (await count()) === 3);
    await shell.kill();
    await Promise.all([login, another]);
    await eventually('nobody again', async () => (await count()) === 0);
  });

  it('says that a stopped or paused container can not run commands', async () => {
    const other = await bench.running();
    await bench.driver.pause(other.name);
    await assert.rejects(bench.exec(other.name, { argv: ['true'] }), { code: 'illegal_state' });
    await bench.driver.resume(other.name);
    await bench.driver.stop(other.name, 5000);
    await assert.rejects(bench.exec(other.name, { argv: ['true'] }), { code: 'illegal_state' });
    await assert.rejects(bench.exec('workspace-no-such', { argv: ['true'] }), { code: 'not_found' });
  });

  it('says so when the container ends under a command, also under one that has not begun yet', async () => {
    const other = await bench.running();
    const stop = (): Promise<unknown> => bench.driver.stop(other.name, 5000);
    const kill = (): Promise<unknown> => bench.docker.getContainer(other.name).kill();
    for (const [index, ms] of [0, 3, 6, 9, 15, 15, 24, 40, 100, 100].entries()) {
      const command = bench.driver.exec(other.name, { argv: ['sleep', '100'], user: 'workspace' });
      await sleep(ms);
      const end = index % 2 === 0 ? kill() : stop();
      const code = await command.then(({ exit }) => exit).catch((error: unknown) => codeOf(error));
      assert.ok(code === 143 || code === 137 || code === 'illegal_state', `${code} after ${ms} ms`);
      await end;
      await bench.driver.start(other.name);
    }
  });

  it('says so when the container is removed under a command', async () => {
    for (const ms of [3, 9, 24, 100]) {
      const other = await bench.running();
      const command = bench.driver.exec(other.name, { argv: ['sleep', '100'], user: 'workspace' });
      await sleep(ms);
      const end = bench.driver.remove(other.name);
      const code = await command.then(({ exit }) => exit).catch((error: unknown) => codeOf(error));
      assert.ok([143, 137, 'illegal_state', 'not_found'].includes(code), `${code} after ${ms} ms`);
      await end;
    }
  });
});
