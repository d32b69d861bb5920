/** What holds a file system of a guest still, with a kernel that is played; and guests that do as they like. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolsDirectory } from '../../../../../../src/backend/inside/init-script';
import { whileFrozen } from '../../../../../../src/backend/drivers/microvms/live/guest-freeze';
import type { GuestProcess } from '../../../../../../src/backend/drivers/microvms/guest/ssh-link';
import { skipWithout } from '../../../../../support/skip';
import { useTempFolder } from '../../../../../support/temp';
import { until, within } from '../../../../../support/wait';

/** FIFREEZE and FITHAW of ioctl_fs(2), on a file that is there while it is frozen. */
const kernel = (folder: string): string => `
import errno, os, time
class fcntl:
    @staticmethod
    def ioctl(place, what, _):
        frozen = "${folder}/frozen"
        def said(text):
            with open("${folder}/log", "a") as log: log.write(text + "\\n")
        if what == 0xC0045878:
            said("thaw")
            if not os.path.exists(frozen): raise OSError(errno.EINVAL, "it is not frozen")
            os.unlink(frozen)
        else:
            said("freeze %d" % os.getpid())
            if os.path.exists(frozen): raise OSError(errno.EBUSY, "busy")
            while os.path.exists("${folder}/writes"): time.sleep(0.01)
            open(frozen, "x").close()
`;

describe('a file system of a guest that is held still', function () {
  this.timeout(30_000);
  const folder = useTempFolder();
  const at = (name: string): string => join(folder(), name);
  const isFrozen = (): boolean => existsSync(at('frozen'));
  const log = (): string => (existsSync(at('log')) ? readFileSync(at('log'), 'utf8') : '');
  const thaws = (): number => log().split('thaw').length - 1;
  const { signal } = new AbortController();
  let python: string;

  before(function () {
    const { status, stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    });
    python = status === 0 ? stdout.trim() : skipWithout(this, 'python3');
  });

  /** Runs what the guest is to run, with the kernel that is played; `cut` ends the connection. */
  function guest(): { ssh: { run(command: string): Promise<GuestProcess> }; cut: () => void } {
    let cut = (): void => undefined;
    const run = (command: string): Promise<GuestProcess> => {
      writeFileSync(at('kernel.py'), kernel(folder()));
      const played = command
        .replace(`${toolsDirectory}/bin/python3`, python)
        .replace(`${toolsDirectory}/busybox/sync`, '/bin/true')
        .replace('THAW = 0xC0045877', `THAW = exec(open("${at('kernel.py')}").read()) or 0xC0045877`);
      const child = spawn('/bin/sh', ['-c', played], { stdio: 'pipe' });
      const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
      stream.on('error', () => undefined);
      cut = () => {
        child.stdout.destroy();
        child.stdin.end();
      };
      const channel = Object.assign(stream, { stderr: child.stderr, stdin: stream });
      const ended = new Promise<undefined>((resolve) => child.once('close', () => resolve(undefined)));
      return Promise.resolve({ channel, ended } as unknown as GuestProcess);
    };
    return { ssh: { run }, cut: () => cut() };
  }

  it('is so while something works, and no longer', async () => {
    const held = await whileFrozen(guest(), folder(), { signal }, async () => {
      assert(isFrozen());
      await sleep(50);
      return 'done';
    });
    assert.deepEqual([held.result, held.problem, isFrozen(), thaws()], ['done', undefined, false, 1]);
    assert(held.heldMs >= 50 && held.heldMs < 5_000, String(held.heldMs));
  });

  it('lets go when nobody hears it any more', async () => {
    const one = guest();
    const held = await whileFrozen(one, folder(), { signal }, () => {
      one.cut();
      return Promise.resolve();
    });
    assert.notEqual(held.problem, undefined);
    await until('it let go', () => !isFrozen());
  });

  it('lets go though its reader is gone before it says that it is frozen', async () => {
    const one = guest();
    writeFileSync(at('writes'), '');
    const held = whileFrozen(one, folder(), { signal, limitSeconds: 60 }, () => Promise.resolve());
    await until('it freezes', () => log().includes('freeze'));
    one.cut();
    rmSync(at('writes'));
    await until('it froze, and let go', () => thaws() > 0 && !isFrozen());
    await held;
  });

  it('leaves alone what somebody else has frozen', async () => {
    writeFileSync(at('frozen'), '');
    const held = await whileFrozen(guest(), folder(), { signal, limitSeconds: 1 }, () => sleep(1_500));
    assert.match(held.problem ?? '', /^failed Device or resource busy/);
    assert.deepEqual([isFrozen(), thaws()], [true, 0]);
  });

  it('is let go of at once by the other process when it was killed, and late when it freezes for long', async () => {
    const killed = whileFrozen(guest(), folder(), { signal, limitSeconds: 60 }, async () => {
      process.kill(Number(/freeze (\d+)/.exec(log())?.[1]), 'SIGKILL');
      await until('the other lets go', () => !isFrozen());
    });
    assert.match((await killed).problem ?? '', /the connection to it ended/);
    rmSync(at('log'));
    writeFileSync(at('writes'), '');
    const late = whileFrozen(guest(), folder(), { signal, limitSeconds: 0.2 }, () => sleep(10));
    await until('the other has tried twice', () => thaws() >= 2);
    rmSync(at('writes'));
    await until('it let go', () => log().includes('freeze') && !isFrozen());
    await late;
    assert.equal(isFrozen(), false);
  });
});

describe('a guest that holds its file system still as it likes', () => {
  const never = () => new Promise<undefined>(() => undefined);
  /** A guest that answers what it is told with what it likes. */
  function played(answer: (said: string) => string | undefined) {
    const stderr = new PassThrough();
    let isDestroyed = false;
    const say = (asked: string): void => void channel.push(answer(asked) ?? '');
    const channel: Duplex = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        say('freeze');
        done();
      },
      final: (done) => {
        say('end');
        done();
      },
    });
    const destroy = (): void => void (isDestroyed = true);
    const process = {
      channel: Object.assign(channel, { stderr, stdin: channel, destroy }),
      ended: never(),
    } as unknown as GuestProcess;
    const run = (): Promise<GuestProcess> => {
      setImmediate(() => say('start'));
      return Promise.resolve(process);
    };
    return { ssh: { run }, channel, stderr, process, isDestroyed: () => isDestroyed };
  }
  const words = (last: string) => (said: string) =>
    ({ start: 'ready\n', freeze: 'frozen\n', end: last })[said];
  const open = () => ({ signal: new AbortController().signal });

  it('is not believed a time that nobody waited, nor one that is no number', async () => {
    for (const ms of ['9'.repeat(400), '99999999', 'soon', '-5', '1e9', '']) {
      const guest = played(words(`thawed ${ms}\n`));
      const { heldMs } = await whileFrozen(guest, '/', open(), () => sleep(20));
      assert(Number.isFinite(heldMs) && heldMs >= 0 && heldMs < 5_000, `${ms}: ${heldMs}`);
    }
  });

  it('fills no memory with what it says', async () => {
    for (const flood of ['x\n'.repeat(10), 'x'.repeat(5_000), 'ready\n'.repeat(1_000)]) {
      for (const when of ['start', 'freeze', 'end']) {
        const guest = played((said) => (said === when ? flood : words('thawed 1\n')(said)));
        const held = await whileFrozen(guest, '/', open(), () => Promise.resolve('done'));
        assert.equal(held.result, 'done');
        assert.notEqual(held.problem, undefined, when);
        assert.equal(guest.isDestroyed(), true);
        assert.deepEqual([guest.channel.listenerCount('data'), guest.stderr.listenerCount('data')], [0, 0]);
      }
    }
    const guest = played(() => undefined);
    const held = whileFrozen(guest, '/', open(), () => Promise.resolve('done'));
    setImmediate(() => {
      for (let count = 0; count < 100; count += 1) guest.channel.push('x'.repeat(1_000));
    });
    assert.equal((await held).problem, 'it said more than it was asked');
    assert.equal(guest.channel.isPaused(), true);
  });

  it('is not waited for by who gives it up, however far it came', async () => {
    for (const hangsAt of ['opening', 'start', 'freeze', 'end']) {
      for (const isBefore of [true, false]) {
        const given = new AbortController();
        let hasWorked = false;
        let arrive = (): void => undefined;
        const guest = played((said) => (said === hangsAt ? undefined : words('thawed 1\n')(said)));
        const run = (): Promise<GuestProcess> =>
          hangsAt === 'opening'
            ? new Promise((resolve) => (arrive = () => resolve(guest.process)))
            : guest.ssh.run();
        if (isBefore) given.abort();
        const held = whileFrozen({ ssh: { run } }, '/', { signal: given.signal }, () => {
          hasWorked = true;
          return Promise.resolve();
        });
        setTimeout(() => given.abort(), 20);
        await assert.rejects(within('it is given up', held, 2_000), { name: 'AbortError' });
        assert.equal(hasWorked, hangsAt === 'end' && !isBefore);
        if (!isBefore) {
          arrive();
          await until('it is ended', () => guest.isDestroyed());
        }
      }
    }
  });
});
