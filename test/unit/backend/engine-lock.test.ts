import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { takeEngineLock, touchEngineLock, type Taken } from '../../../src/backend/engine-lock';
import { acquireLock, type Lock } from '../../../src/backend/machine/lock';
import { currentOwner, verdictOn } from '../../../src/backend/machine/lock-owner';
import { failure } from '../../support/errors';
import { useTempFolder } from '../../support/temp';
import { skipWithout } from '../../support/skip';

const lockModule = require.resolve('../../../src/backend/engine-lock');
/** Takes the lock as an engine does, listens, and says what came of it. */
const engine = `
  const [path, socket, timeoutMs] = process.argv.slice(1);
  require(${JSON.stringify(lockModule)}).takeEngineLock(path, socket, { timeoutMs: Number(timeoutMs) }).then((lock) => {
    const listen = (done) => require('node:net').createServer().listen(socket, done);
    if ('release' in lock) require('node:fs').rmSync(socket, { force: true }), listen(() => process.stdout.write('got'));
    else process.stdout.write(lock.isAnswering ? 'answering' : 'silent');
  });
  setTimeout(() => process.exit(), 20000);`;
const canUnshare = spawnSync('unshare', ['-p', '-f', '--mount-proc', 'true']).status === 0;

describe('backend/engine-lock', function () {
  this.timeout(30_000);
  const children: ChildProcess[] = [];
  // Before the folder goes: hooks run in the order in which they are given.
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
  const folder = useTempFolder();
  const path = () => join(folder(), 'engine.lock');
  const socket = () => join(folder(), 'engine.sock');

  async function start(
    timeoutMs = 300,
    around: string[] = [],
  ): Promise<{ answer: string; child: ChildProcess }> {
    const node = [process.execPath, '-e', engine, path(), socket(), String(timeoutMs)];
    const [program = '', ...args] = [...around, ...node];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [answer] = (await once(child.stdout, 'data')) as [Buffer];
    return { answer: answer.toString(), child };
  }
  const take = (options = {}) => takeEngineLock(path(), socket(), { timeoutMs: 200, ...options });
  const isTaken = (result: Lock | Taken): result is Taken => 'isAnswering' in result;

  it('is had where nobody is, names who has it, and goes with its owner', async () => {
    const lock = await take();
    assert(!isTaken(lock));
    const { pidNamespace, hostName } = JSON.parse(readFileSync(path(), 'utf8')) as Record<string, string>;
    assert.match(pidNamespace ?? '', /^pid:\[\d+\]$/);
    assert.notEqual(hostName, '');
    lock.release();
    assert.deepEqual(readdirSync(folder()), []);
  });

  it('is not taken from an engine in another pid namespace that listens, halted or not', async function () {
    if (!canUnshare) {
      skipWithout(this, 'a pid namespace can not be made here (unshare)');
    }
    assert.equal((await start()).answer, 'got');
    const before = readFileSync(path(), 'utf8');
    const other = ['unshare', '-p', '-f', '--mount-proc', '--kill-child'];
    assert.equal((await start(300, other)).answer, 'answering');
    const { pid } = JSON.parse(before) as { pid: number };
    process.kill(pid, 'SIGSTOP');
    assert.equal((await start(300, other)).answer, 'answering');
    assert.equal(readFileSync(path(), 'utf8'), before);
    process.kill(pid, 'SIGKILL');
    assert.equal((await start(300, other)).answer, 'got', 'a dead one keeps it no longer than the timeout');
    assert.notEqual(readFileSync(path(), 'utf8'), before);
  });

  it('is not taken from one in another pid namespace as long as that touches it', async () => {
    const lock = await take();
    assert(!isTaken(lock));
    const owner = JSON.parse(readFileSync(path(), 'utf8')) as object;
    writeFileSync(path(), JSON.stringify({ ...owner, pid: 4_000_000, pidNamespace: 'pid:[1]' }));
    const untouch = touchEngineLock(path());
    try {
      const slow = await take({ timeoutMs: 1_500 });
      assert(isTaken(slow) && !slow.isAnswering);
    } finally {
      untouch();
    }
    const next = await take({ timeoutMs: 1_500 });
    assert(!isTaken(next));
    next.release();
  });

  it('is not taken from an engine outside by one that was started in a namespace of its own, nor back', async function () {
    if (!canUnshare) {
      skipWithout(this, 'a pid namespace can not be made here (unshare)');
    }
    assert.equal((await start(300, ['unshare', '-p', '-f', '--mount-proc', '--kill-child'])).answer, 'got');
    assert.equal((await start()).answer, 'answering');
    const taken = await take();
    assert(isTaken(taken) && taken.isAnswering);
  });

  it('asks the socket also when the owner looks dead, or the lock is gone', async () => {
    const server = createServer().listen(socket());
    await once(server, 'listening');
    try {
      writeFileSync(path(), JSON.stringify({ ...currentOwner(), startTime: '1' }));
      assert(isTaken(await take()));
      assert(existsSync(path()));
      writeFileSync(path(), '');
      assert(isTaken(await take()));
    } finally {
      server.close();
    }
  });

  it('names the machine that has it, and says what to remove; nothing is touched', async () => {
    const content = JSON.stringify({
      ...currentOwner(),
      bootId: 'other',
      hostName: 'attic',
      machineId: 'other',
    });
    writeFileSync(path(), content);
    const judge: typeof verdictOn = (owner, lock) => verdictOn(owner, lock, currentOwner(), () => false);
    const error = await failure(take({ judge }), 'in_use');
    assert.match(error.message, /another machine, "attic"/);
    assert.match(error.hint ?? '', new RegExp(`remove ${path()}`));
    assert.equal(readFileSync(path(), 'utf8'), content);
  });

  it('says who does not answer', async () => {
    const lock = acquireLock(path());
    const taken = await take();
    assert(isTaken(taken));
    assert.deepEqual([taken.by?.pid, taken.isAnswering], [process.pid, false]);
    lock?.release();
  });
});

describe('backend/machine/lock-owner', () => {
  const here = { ...currentOwner() };
  const judge = (change: object, isLocal = true) =>
    verdictOn({ ...here, ...change }, '/x', here, () => isLocal);

  it('judges by pid and start within one namespace of one boot only', () => {
    assert.equal(judge({}), 'running');
    assert.equal(judge({ startTime: '1' }), 'dead');
    assert.equal(judge({ pidNamespace: 'pid:[1]', startTime: '1' }), 'unknown');
    assert.equal(judge({ pidNamespace: undefined, startTime: '1' }), 'unknown', 'of an older Berth');
    assert.equal(judge({ pidNamespace: undefined }), 'running');
  });

  it('takes another boot for dead on a disk of this machine, or of this very machine', () => {
    const other = { bootId: 'other', hostName: 'attic', machineId: 'm' };
    assert.equal(judge(other), 'dead');
    assert.equal(judge({ bootId: 'other' }, false), 'dead');
    assert.equal(judge(other, false), 'elsewhere');
    assert.equal(judge({ bootId: 'other', hostName: undefined, machineId: undefined }, false), 'unknown');
  });

  it('takes a pid for given again where only the time tells of a reboot', () => {
    const nowhere = { ...here, bootId: '', startTime: '', pidNamespace: '' };
    const old = { ...nowhere, takenAt: Date.now() - 400 * 86_400_000 };
    assert.equal(verdictOn(nowhere, '/x', nowhere), 'running');
    assert.equal(verdictOn(old, '/x', nowhere), 'dead');
  });
});
