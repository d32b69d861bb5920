import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLock, hasEnded } from '../../../../src/backend/machine/lock';
import { parseOwner, verdictOn } from '../../../../src/backend/machine/lock-owner';
import { identityOf, isRunning } from '../../../../src/backend/machine/process-identity';
import { useTempFolder } from '../../../support/temp';
import { until } from '../../../support/wait';

const lockModule = require.resolve('../../../../src/backend/machine/lock');

/** A process that tries to get the lock, says `got` or `no`, and keeps it until its input ends. */
const holder = `
  const lock = require(${JSON.stringify(lockModule)}).acquireLock(process.argv[1]);
  process.stdout.write(lock ? 'got' : 'no');
  process.stdin.resume();
  process.stdin.on('end', () => { if (process.argv[2] !== 'leave') lock?.release(); });`;

/** Removes every draft of a folder at once, as who has just got the lock does, until its input ends. */
const sweeper = `
  const { readdirSync, rmSync } = require('node:fs');
  process.stdin.on('end', () => process.exit()).resume();
  process.stdout.write('ready');
  const sweep = () => {
    for (const end = Date.now() + 20; Date.now() < end; ) {
      readdirSync('.').filter((name) => name.startsWith('.berth-draft-')).forEach((name) => rmSync(name, { force: true }));
    }
    setImmediate(sweep);
  };
  sweep();`;

/** Tries when it is told to, says `got` or `no`, and lives until its input ends. */
const racer = `
  const { acquireLock } = require(${JSON.stringify(lockModule)});
  process.stdout.write('ready');
  process.stdin.once('data', () => process.stdout.write(acquireLock(process.argv[1]) ? 'got' : 'no'));
  process.stdin.resume();`;

async function hold(path: string, ending = 'release') {
  const child = spawn(process.execPath, ['-e', holder, path, ending], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [answer] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, answer: answer.toString() };
}

describe('machine/lock', () => {
  const folder = useTempFolder();
  const path = () => join(folder(), 'engine.lock');

  it('is had by one, private, and had again after release', () => {
    const lock = acquireLock(path());
    assert(lock !== undefined);
    assert.equal(acquireLock(path()), undefined);
    assert.equal(statSync(path()).mode & 0o777, 0o600);
    lock.release();
    assert.equal(existsSync(path()), false);
    acquireLock(path())?.release();
    assert.deepEqual(readdirSync(folder()), []);
  });

  it('is had also while another process sweeps the folder of drafts', async () => {
    const child = spawn(process.execPath, ['-e', sweeper], {
      cwd: folder(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    try {
      for (const end = Date.now() + 500; Date.now() < end;) {
        const lock = acquireLock(path());
        assert(lock !== undefined);
        lock.release();
      }
    } finally {
      child.stdin.end();
      await once(child, 'exit');
    }
  });

  it('is kept by one that can not be seen from here until that is silent', () => {
    const lock = acquireLock(path());
    assert(lock !== undefined);
    const owner = JSON.parse(readFileSync(path(), 'utf8')) as object;
    for (const unseen of [{ pidNamespace: 'pid:[1]' }, { bootId: 'other', hostName: 'b', machineId: 'b' }]) {
      writeFileSync(path(), JSON.stringify({ ...owner, pid: 4_000_000, ...unseen }));
      const known = parseOwner(readFileSync(path(), 'utf8'))!;
      const verdict = () => verdictOn(known, path(), undefined, () => false);
      const ago = (seconds: number) => utimesSync(path(), Date.now() / 1000, Date.now() / 1000 - seconds);
      ago(50);
      assert.equal(hasEnded(path(), known, verdict), false);
      ago(70);
      assert.equal(hasEnded(path(), known, verdict), true);
    }
    lock.release();
  });

  it('keeps a second process out until the first ends, however it ends', async () => {
    const first = await hold(path());
    assert.equal(first.answer, 'got');
    assert.equal(acquireLock(path()), undefined);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const lock = acquireLock(path());
    assert(lock !== undefined, 'the dead can not keep it');
    lock.release();
    assert.deepEqual(readdirSync(folder()), []);
  });

  it('is not kept by a zombie, whose exit code nobody has asked for', async () => {
    const parent = spawn(
      'sh',
      ['-c', `"$0" -e "$1" "$2" leave </dev/null & exec sleep 20`, process.execPath, holder, path()],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(parent.stdout, 'data');
      const { pid } = JSON.parse(readFileSync(path(), 'utf8')) as { pid: number };
      await until('it is a zombie', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
      const lock = acquireLock(path());
      assert(lock !== undefined);
      lock.release();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('is not kept by another process with the same pid, nor by one before a reboot', () => {
    const self = identityOf(process.pid);
    assert.match(self.startTime, /^\d+$/);
    for (const dead of [
      { ...self, startTime: '1' },
      { ...self, bootId: 'another boot' },
      { ...self, pid: 4_000_000, startTime: '7' },
    ]) {
      writeFileSync(path(), JSON.stringify(dead));
      const lock = acquireLock(path());
      assert(lock !== undefined, JSON.stringify(dead));
      lock.release();
    }
  });

  it('takes a damaged lock file for that of a dead owner', () => {
    for (const content of ['', '{', '{"pid":"1"}', 'null']) {
      writeFileSync(path(), content);
      acquireLock(path())?.release();
      assert.equal(existsSync(path()), false, content);
    }
  });

  it('gets past a process that died while it was removing a dead lock', () => {
    const dead = { ...identityOf(process.pid), startTime: '1' };
    writeFileSync(path(), JSON.stringify(dead));
    // The lock named after the dead owner is dead as well.
    const seen = JSON.stringify(dead);
    const reclaim = `${path()}.${createHash('sha256').update(seen).digest('hex').slice(0, 8)}`;
    writeFileSync(reclaim, JSON.stringify({ ...dead, startTime: '3' }));
    assert(acquireLock(path()) !== undefined);
    assert.deepEqual(readdirSync(folder()), ['engine.lock']);
  });

  it('does not release what another one holds', () => {
    const lock = acquireLock(path());
    const other = JSON.stringify(identityOf(process.ppid));
    writeFileSync(path(), other);
    lock?.release();
    assert.equal(readFileSync(path(), 'utf8'), other);
    assert.equal(isRunning(identityOf(process.ppid)), true);
    assert.equal(isRunning({ pid: process.pid, startTime: '', bootId: '' }), true);
    assert.equal(isRunning({ pid: 4_000_000, startTime: '', bootId: '' }), false);
  });

  it('goes to exactly one of ten processes that find the same dead owner', async function () {
    this.timeout(20_000);
    const children = Array.from({ length: 10 }, () =>
      spawn(process.execPath, ['-e', racer, path()], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const said = (child: (typeof children)[number]) =>
      once(child.stdout, 'data').then(([word]) => String(word));
    try {
      assert.equal((await Promise.all(children.map(said))).join(), Array(10).fill('ready').join());
      writeFileSync(path(), JSON.stringify({ ...identityOf(process.pid), startTime: '1' }));
      const answers = Promise.all(children.map(said));
      children.forEach((child) => child.stdin.write('go'));
      assert.equal((await answers).filter((word) => word === 'got').length, 1);
      assert.deepEqual(readdirSync(folder()), ['engine.lock']);
    } finally {
      const ended = children.map((child) => once(child, 'exit'));
      children.forEach((child) => child.stdin.end());
      await Promise.all(ended);
    }
  });
});
