import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { RuntimeHandle } from '../../../../../../src/backend/services/workspaces/runtime-handle';
import { runCommand } from '../../../../../../src/backend/services/workspaces/start/run-command';
import type { ExecSession } from '../../../../../../src/backend/drivers/driver';
import { failure } from '../../../../../support/errors';
import { turns, until } from '../../../../../support/wait';
import { FakeDriver } from '../../../../../support/fakes/fake-driver';
import type { FakeCommand } from '../../../../../support/fakes/fake-exec';

const limits = { timeoutMs: 5_000, maxOutputBytes: 1_000 };

describe('services/workspaces/start/run-command', () => {
  let driver: FakeDriver;
  beforeEach(() => (driver = new FakeDriver()));

  const run = (command: FakeCommand, options: Partial<Parameters<typeof runCommand>[2]> = {}) => {
    driver.commands.set('tool', command);
    return runCommand(
      new RuntimeHandle(driver, 'runtime'),
      { argv: ['tool'], user: 'workspace' },
      { ...limits, ...options },
    );
  };

  it('answers exit code and both outputs', async () => {
    const result = await run({ exitCode: 3, stdout: 'out', stderr: 'err' });
    assert.deepEqual(
      { ...result, stdout: String(result.stdout), stderr: String(result.stderr) },
      { exitCode: 3, stdout: 'out', stderr: 'err', truncated: false, timedOut: false },
    );
  });

  it('drops output past the limit and says so', async () => {
    const result = await run({ stdout: 'x'.repeat(3_000), stderr: 'lost' }, { maxOutputBytes: 1_000 });
    assert.equal(result.stdout.length + result.stderr.length, 1_000);
    assert.equal(result.truncated, true);
    assert.equal((await run({ stdout: 'x'.repeat(1_000) })).truncated, false);
  });

  it('kills a command that takes too long, keeping what it said', async () => {
    const result = await run({ stdout: 'begun', endless: true }, { timeoutMs: 20 });
    assert.equal(result.timedOut, true);
    assert.equal(result.exitCode, 137);
    assert.equal(String(result.stdout), 'begun');
  });

  it('is cancelled while it runs, and does not begin when it was cancelled before', async () => {
    const abort = new AbortController();
    const running = run({ endless: true }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 10);
    await failure(running, 'cancelled');
    driver.calls.length = 0;
    await failure(run({}, { signal: abort.signal }), 'cancelled');
    assert.deepEqual(driver.calls, []);
  });

  it('is cancelled also while the command is being started', async () => {
    const abort = new AbortController();
    const gate = driver.hold('exec');
    const running = run({ endless: true }, { signal: abort.signal });
    await gate.entered;
    abort.abort();
    gate.open();
    await failure(running, 'cancelled');
  });

  it('waits no longer for one that does not begin, and ends it when it does', async () => {
    const gate = driver.hold('exec');
    const { timedOut, exitCode } = await run({ endless: true }, { timeoutMs: 20 });
    assert.deepEqual([timedOut, exitCode], [true, 124]);
    let isKilled = false;
    const exec = driver.exec.bind(driver);
    driver.exec = async (...args) => {
      const session = await exec(...args);
      return { ...session, kill: () => Promise.resolve(void (isKilled = true)) };
    };
    const second = driver.hold('exec');
    gate.open();
    const late = run({ endless: true }, { timeoutMs: 20 });
    assert.equal((await late).timedOut, true);
    second.open();
    await until('it is ended', () => isKilled);
  });

  it('survives one that begins too late, and breaks when it is ended', async () => {
    const session: ExecSession = {
      ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
      exit: new Promise(() => undefined),
      resize: () => Promise.resolve(),
      kill: () => {
        [session.stdin, session.stdout, session.stderr].forEach((stream) => stream.destroy(new Error('cut')));
        return Promise.reject(new Error('it does not end'));
      },
    };
    const gate = driver.hold('exec');
    const exec = driver.exec.bind(driver);
    driver.exec = (...args) => exec(...args).then(() => session);
    assert.equal((await run({ endless: true }, { timeoutMs: 20 })).timedOut, true);
    gate.open();
    await until('it is ended', () => session.stdout.destroyed);
    await turns();
  });

  it('gives up a command that does not end even when killed', async () => {
    const error = await failure(run({ immortal: true }, { timeoutMs: 10, killGraceMs: 20 }), 'timeout');
    assert.match(error.message, /killed, and did not end/);
  });

  it('survives streams that break', async () => {
    const session: ExecSession = {
      ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
      exit: new Promise((_, reject) => setTimeout(() => reject(new Error('connection reset')), 10)),
      resize: () => Promise.resolve(),
      kill: () => Promise.resolve(),
    };
    driver.exec = () => Promise.resolve(session);
    const running = run({});
    await turns();
    for (const stream of [session.stdin, session.stdout, session.stderr]) {
      stream.destroy(new Error('connection reset'));
    }
    await assert.rejects(running, /connection reset/);
  });
});
