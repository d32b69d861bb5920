import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import { Cli } from '../../../src/cli/cli';
import { Interrupts } from '../../../src/cli/interrupts';
import { buildProgram } from '../../../src/cli/program';
import { createStreams, invoke } from './harness';

function program(): Command {
  const interrupts = new Interrupts(new EventEmitter(), { exit: () => undefined, die: () => undefined });
  return buildProgram(
    new Cli({
      streams: createStreams(),
      env: { BERTH_HOME: '/none' },
      cwd: '/',
      version: '1.2.3',
      interrupts,
    }),
  );
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

describe('cli/program', () => {
  it('shows help without arguments and exits 0', async () => {
    const { code, stdout } = await invoke();
    assert.equal(code, 0);
    assert.match(stdout, /Usage: berth/);
  });

  it('shows its version', async () => {
    assert.deepEqual(await invoke('--version'), { code: 0, stdout: '1.2.3\n', stderr: '' });
  });

  it('has every command of the documentation', () => {
    const names = program().commands.map((command) => command.name());
    const documented =
      'up down status doctor create list info start stop restart pause resume archive restore recover rebuild ' +
      'rename limits set delete ssh exec logs stats cp ls cat rm mkdir mv find volume image ssh-config adopt operations ' +
      'events completion open';
    assert.deepEqual(
      documented.split(' ').filter((name) => !names.includes(name)),
      [],
    );
  });

  for (const command of leaves(program())) {
    const path = [command.name()];
    for (let at = command.parent; at !== null && at.parent !== null; at = at.parent) {
      path.unshift(at.name());
    }
    if (path.join(' ') !== '__complete') {
      it(`helps with "${path.join(' ')}", by example`, async () => {
        const { code, stdout } = await invoke(...path, '--help');
        assert.equal(code, 0);
        assert.match(stdout, /--json/);
        assert.ok(command.description().length > 10);
        assert.match(stdout, /Examples:\n {2}\$ /);
      });
    }
  }

  it('suggests a command for a typo and exits 2', async () => {
    const { code, stderr, stdout } = await invoke('strat', 'demo');
    assert.deepEqual(
      { code, stderr, stdout },
      {
        code: 2,
        stdout: '',
        stderr: "error: unknown command 'strat'\nhint: Did you mean start?\n",
      },
    );
  });

  it('knows the words of other tools', async () => {
    for (const [typed, meant] of [
      ['ps', '`berth list`'],
      ['remove demo', '`berth delete` for workspaces, `berth rm` for files'],
      ['volume rm cache', '`berth volume delete`'],
      ['image ls', '`berth image list`'],
      ['grep TODO demo', '`berth find --text`'],
    ] as const) {
      const { code, stderr } = await invoke(...typed.split(' '));
      assert.equal(code, 2);
      assert(stderr.endsWith(`hint: Did you mean ${meant}?\n`), stderr);
    }
    assert.match((await invoke('ls')).stderr, /`berth list` lists the workspaces/);
    assert.match((await invoke('port', 'web')).stderr, /`berth port list web`/);
  });

  it('has no help for a command that there is not, and says so', async () => {
    const { code, stdout, stderr } = await invoke('help', 'creat');
    assert.deepEqual(
      { code, stdout, stderr },
      { code: 2, stdout: '', stderr: "error: unknown command 'creat'\nhint: Did you mean create?\n" },
    );
    assert.match((await invoke('help', 'create')).stdout, /^Usage: berth create/);
  });

  it('suggests an option for a typo', async () => {
    const { code, stderr } = await invoke('create', 'demo', '--imgae', 'x');
    assert.equal(code, 2);
    assert.match(stderr, /unknown option '--imgae'\nhint: Did you mean --image\?/);
  });

  it('reports usage errors as JSON when asked to', async () => {
    const { code, stderr, stdout } = await invoke('create', 'demo', '--memory', 'lots', '--json');
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string } };
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.equal(error.code, 'bad_request');
    assert.match(error.message, /--memory/);
    assert.ok(error.hint.length > 0);
  });

  it('does not take what follows `--` for its own options', async () => {
    const { code, stderr } = await invoke('nonsense', '--', '--json');
    assert.equal(code, 2);
    assert.match(stderr, /^error: /);
  });

  for (const argv of [
    ['volume'],
    ['create'],
    ['start'],
    ['cp', 'only-one'],
    ['completion', 'tcsh'],
    ['list', 'x'],
  ]) {
    it(`exits 2 for "${argv.join(' ')}"`, async () => {
      const { code, stderr } = await invoke(...argv);
      assert.equal(code, 2, stderr);
      assert.notEqual(stderr, '');
    });
  }

  it('tells the status without starting an engine', async () => {
    const { code, stdout } = await invoke('status', '--json');
    assert.deepEqual({ code, status: JSON.parse(stdout) as object }, { code: 0, status: { running: false } });
    assert.match((await invoke('status')).stdout, /not running/);
    assert.match((await invoke('down')).stdout, /was not running/);
  });
});
