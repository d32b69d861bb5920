/** What ssh meets at a workspace that does not run. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { runProgram, type Ran } from '../../support/programs';
import { timeoutFactor, testTimeoutMs } from '../../support/runtimes/columns';
import { until } from '../../support/wait';

describe('ssh: a workspace that does not run', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  const { BERTH_HOME: _, ...around } = process.env;
  const limitMs = 2_000 * timeoutFactor;
  let name: string;

  before(async () => {
    ({ name } = await harness().create());
  });

  /** As from a terminal that knows nothing of this engine. */
  const attempt = async (): Promise<Ran & { ms: number }> => {
    const from = performance.now();
    const env = { ...around, ...harness().env };
    // With no timeout but the configuration's own.
    const argv = ['-F', harness().sshConfig, '-o', 'BatchMode=yes', `berth-${name}`, 'echo in'];
    const ran = await runProgram('ssh', argv, { env, timeoutMs: 60_000 * timeoutFactor });
    return { ...ran, ms: performance.now() - from };
  };
  const refuses = async (message: string): Promise<void> => {
    const first = await attempt();
    // Of a machine that is busy for a moment.
    const { code, stdout, stderr, ms } = first.ms < limitMs ? first : await attempt();
    assert.deepEqual(
      { code, stdout, first: stderr.split(/\r?\n/)[0] },
      { code: 255, stdout: '', first: message },
    );
    assert(ms < limitMs, `${ms} ms`);
  };

  it('keeps a connection that is open over a kill of the engine, and over the start of the next one', async () => {
    const argv = ['-F', harness().sshConfig, '-o', 'BatchMode=yes', `berth-${name}`, 'cat'];
    const ssh = spawn('ssh', argv, { env: { ...around, ...harness().env } });
    const answers = ssh.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
    const echo = async (line: string): Promise<void> => {
      ssh.stdin.write(line);
      assert.equal((await answers.next()).value, line);
    };
    try {
      await echo('before\n');
      await harness().process.kill();
      await echo('without an engine\n');
      await harness().start();
      await echo('with the next one\n');
      ssh.stdin.end();
      assert.deepEqual(await once(ssh, 'close'), [0, null]);
    } finally {
      ssh.kill();
    }
  });

  it('is resumed by ssh when it is paused', async () => {
    await harness().verb('pause', name);
    const { code, stdout, stderr } = await attempt();
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'in\n' }, stderr);
    assert.equal(await harness().state(name), 'running');
    assert.match(
      await readFile(harness().sshConfig, 'utf8'),
      new RegExp(`Host berth-${name}\n(?: .*\n)*  ProxyCommand none`),
    );
    const second = await attempt();
    assert.equal(second.stdout, 'in\n', second.stderr);
  });

  it('is resumed also when no engine ran, and two come at once', async () => {
    await harness().verb('pause', name);
    await harness().process.stop();
    const both = await Promise.all([attempt(), attempt()]);
    assert.deepEqual(
      both.map(({ stdout }) => stdout),
      ['in\n', 'in\n'],
      JSON.stringify(both),
    );
    assert.equal(await harness().state(name), 'running');
    // That one is of ssh's making, and must have gone before there can be one of ours.
    const { pid } = await harness().client.call('engine.info', {});
    await harness().client.call('engine.stop', { body: {} });
    await until('the engine of ssh to end', () => !existsSync(`/proc/${pid}`), 20_000);
    await harness().start();
  });

  it('says what to do when it is stopped or archived, within 2 s, with and without an engine', async () => {
    await harness().verb('stop', name);
    const stopped = `berth: Workspace ${name} is stopped. Run \`berth start ${name}\` first.`;
    await refuses(stopped);
    await harness().process.stop();
    await refuses(stopped);
    await harness().start();
    await harness().verb('archive', name);
    const archived = `berth: Workspace ${name} is archived. Run \`berth restore ${name}\` first.`;
    await refuses(archived);
    await harness().process.kill();
    await refuses(archived);
    await harness().start();
    await harness().verb('restore', name);
  });

  it('needs no engine while it runs', async () => {
    await harness().process.kill();
    const { stdout, stderr } = await attempt();
    assert.equal(stdout, 'in\n', stderr);
    await harness().start();
  });

  itLeavesNothing(harness);
});
