import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventEmitter } from 'node:events';
import { Cli } from '../../../../src/cli/cli';
import { candidates } from '../../../../src/cli/completion/candidates';
import { completionScript, shells } from '../../../../src/cli/completion/scripts';
import { Interrupts } from '../../../../src/cli/interrupts';
import { buildProgram } from '../../../../src/cli/program';
import { createStreams } from '../harness';
import { skipWithout } from '../../../support/skip';

const interrupts = new Interrupts(new EventEmitter(), { exit: () => undefined, die: () => undefined });
const cli = new Cli({
  streams: createStreams(),
  env: { BERTH_HOME: '/none' },
  cwd: '/',
  version: '1',
  interrupts,
});
const known = { workspaces: ['api', 'web'], volumes: ['cache'] };
const complete = (...words: string[]): string[] => candidates(buildProgram(cli), words, known);

describe('cli/completion', () => {
  it('completes commands, without the hidden one', () => {
    assert.deepEqual(complete('st'), ['start', 'stats', 'status', 'stop']);
    assert.ok(complete('').includes('ssh'));
    assert.deepEqual(complete('__'), []);
    assert.deepEqual(complete('volume', 'cr'), ['create']);
  });

  it('completes options', () => {
    assert.deepEqual(complete('create', 'x', '--m'), ['--memory']);
    assert.deepEqual(complete('list', '--js'), ['--json']);
    assert.ok(!complete('create', 'x', '--').includes('--engine'));
  });

  it('completes names of workspaces and volumes where they belong', () => {
    assert.deepEqual(complete('ssh', 'w'), ['web']);
    assert.deepEqual(complete('stop', 'api', ''), ['api', 'web']);
    assert.deepEqual(complete('volume', 'delete', ''), ['cache']);
    assert.deepEqual(complete('create', ''), []);
    assert.deepEqual(complete('cp', 'a'), ['api:']);
    assert.deepEqual(complete('ls', 'volume:'), ['volume:cache:']);
    assert.deepEqual(complete('completion', 'b'), ['bash']);
  });

  it('offers nothing inside a command to run', () => {
    assert.deepEqual(complete('exec', 'api', '--', 'w'), []);
  });

  for (const shell of shells) {
    it(`prints a script that ${shell} can read`, function () {
      const folder = mkdtempSync(join(tmpdir(), 'berth-completion-'));
      try {
        const file = join(folder, `berth.${shell}`);
        writeFileSync(file, completionScript(shell));
        const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
        if (error !== undefined) {
          skipWithout(this, `${shell} is not installed`);
        }
        assert.equal(status, 0, stderr);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
