import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlPort } from '../../../../src/backend/drivers/microvms/guest/control-port';
import { runE2fs } from '../../../../src/backend/ext4/e2fsprogs';
import { runProgram } from '../../../support/programs';
import { until } from '../../../support/wait';
import { GuestBench, type Guest } from './guest-bench';

/** Of `main` and what serves the engine's line: processor time in hundredths of a second. */
const timeOfInit = `t=0
for f in /proc/[0-9]*/cmdline; do
  case "$(tr '\\0' ' ' <$f)" in *guest/main*) set -- $(cat "\${f%cmdline}stat"); t=$((t + \${14} + \${15})) ;; esac
done 2>/dev/null
echo $t`;

describe('a guest of an image with nothing but busybox', function () {
  this.timeout(400_000);
  let bench: GuestBench;
  let guest: Guest;

  before(async () => {
    bench = await GuestBench.open();
    const root = await bench.disk('root', [await bench.busybox()]);
    const bundle = await bench.disk('bundle', [
      { name: 'from/tar', mode: 0o640, content: 'bundled', uid: 1000 },
    ]);
    guest = await bench.boot({ root, home: await bench.disk('home'), v0: bundle });
    await guest.waiting();
    await guest.configure({
      plan: [
        'hostname box',
        'machine-id 0123456789abcdef0123456789abcdef',
        'mount home /home/workspace rw',
        "mount v0 /it's a $(touch /pwned) \\134 ro",
      ],
      env: { COLOUR: 'red', ODD: `"'\\ $(touch /pwned) \`touch /pwned\``, TWO: 'a\nb' },
      files: [
        { target: '/home/workspace/.config/$(touch /pwned)', mode: 0o600, content: Buffer.from('mine') },
      ],
    });
  });
  after(() => bench.dispose());

  it('lets its user in by SSH, with name, home and environment', async () => {
    const ran = await guest.user(
      'hostname; id -un; pwd; id -u; printf "%s\\n" "$COLOUR" "$ODD"; cat ".config/\\$(touch /pwned)"',
    );
    assert.equal(ran.stderr, '');
    assert.equal(
      ran.stdout,
      `box\nworkspace\n/home/workspace\n1000\nred\n"'\\ $(touch /pwned) \`touch /pwned\`\nmine`,
    );
  });

  it('lets nobody else in by that way', async () => {
    const { stderr } = await runProgram(
      'ssh',
      [
        '-F',
        'none',
        '-i',
        bench.path('client'),
        '-p',
        String(guest.sshPort),
        ...['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'].flatMap((option) => [
          '-o',
          option,
        ]),
        'root@127.0.0.1',
        'id',
      ],
      { timeoutMs: 90_000 },
    );
    assert.match(stderr, /Permission denied/);
  });

  it('mounts every disk where it belongs, as it belongs, whatever the place is called', async () => {
    const target = "/it's a $(touch /pwned) \\134";
    const quoted = `'${target.replace("'", "'\\''")}'`;
    assert.equal(
      await guest.root(`cd ${quoted} && cat from/tar && stat -c ' %a %u' from/tar`),
      'bundled 640 1000',
    );
    await assert.rejects(guest.root(`touch ${quoted}/x`), /Read-only file system/);
    assert.equal(
      await guest.root('echo x >/home/workspace/x; cat /workspace/x; stat -c %U /home/workspace'),
      'x\nworkspace',
    );
    await assert.rejects(guest.root('ls /pwned /home/workspace/pwned 2>/dev/null | grep .'));
  });

  it('has what programs expect of a system', async () => {
    const names = '/etc/machine-id /etc/hostname';
    assert.equal(await guest.root(`cat ${names}`), '0123456789abcdef0123456789abcdef\nbox');
    assert.match(
      await guest.root('cat /etc/hosts /etc/resolv.conf'),
      /localhost[\s\S]*10\.0\.2\.15\tbox\nnameserver 10\.0\.2\.3/,
    );
    const places =
      'test -c /dev/ptmx && test -w /dev/shm && test -e /sys/fs/cgroup/cgroup.procs && echo x | cat /dev/stdin';
    assert.equal(await guest.root(places), 'x');
    assert.equal(
      await guest.root('ip route | grep default; ulimit -Hn'),
      'default via 10.0.2.2 dev eth0 \n1048576',
    );
    const off = Math.abs(Number(await guest.root('date +%s')) - Date.now() / 1000);
    assert(off < 10, `the clock is ${off} s off`);
  });

  it('gets what the kernel lacks when it is asked for', async () => {
    const mount =
      'mkdir -p /o/a /o/b /o/c /o/d && mount -t overlay o -o lowerdir=/o/a,upperdir=/o/b,workdir=/o/c /o/d';
    await guest.root(
      `mount -t tmpfs o /o 2>/dev/null || { mkdir /o && mount -t tmpfs o /o; }; ${mount} && umount /o/d /o`,
    );
  });

  it('takes other secrets while it runs, and leaves sessions alone', async () => {
    await guest.root('rm -f /tmp/pipe /tmp/begun; mkfifo -m 666 /tmp/pipe');
    const session = guest.user('echo x >/tmp/begun; read -t 80 _ <>/tmp/pipe; echo "$COLOUR"');
    await guest.root('until [ -e /tmp/begun ]; do sleep 0.1; done');
    await guest.configure({ env: { COLOUR: 'blue' } });
    assert.equal((await guest.user('echo "$COLOUR"')).stdout, 'blue\n');
    await guest.root('timeout 30 sh -c "echo go >/tmp/pipe"');
    assert.equal((await session).stdout, 'red\n');
  });

  it('goes on when the engine goes, does nothing meanwhile, and takes the next one', async () => {
    const before = Number(await guest.root(timeOfInit));
    guest.ssh.close();
    guest.control.close();
    // The guest's own processes are what may not run: a second of a busy loop would be a hundred.
    await guest.user('sleep 3');
    await guest.reconnect();
    const after = Number(await guest.root(timeOfInit));
    assert(after - before < 60, `${after - before} hundredths of a second`);
    await guest.configure({ env: { COLOUR: 'green' } });
    assert.equal((await guest.user('echo "$COLOUR"')).stdout, 'green\n');
  });

  it('serves one connection of the engine at a time: commands of the one before see the end of their input', async () => {
    guest.ssh.close();
    const first = guest.engineLink();
    const { ended } = await first.run('cat >/dev/null; echo cut >/tmp/cut', {});
    ended.catch(() => undefined);
    first.close();
    const second = guest.engineLink();
    try {
      const told = async () => {
        const { channel, ended: done } = await second.run('cat /tmp/cut 2>/dev/null', {});
        let said = '';
        channel.on('data', (chunk: Buffer) => (said += chunk.toString()));
        await done;
        return said === 'cut\n';
      };
      await until('it is cut off', told, 60_000, 200);
    } finally {
      second.close();
    }
    assert.equal(await guest.root('echo in'), 'in');
  });

  it('sets its clock when told to', async () => {
    guest.control.setTime(Date.parse('2031-02-03T04:05:06.250Z'));
    await until('the clock is set', async () => (await guest.root('date -u +%Y')) === '2031', 60_000, 200);
    guest.control.setTime(Date.now());
    await until('the clock is right', async () => (await guest.root('date -u +%Y')) !== '2031', 60_000, 200);
  });

  it('refuses what is not a configuration, and takes the next', async () => {
    const refused = (archive: Buffer): Promise<void> =>
      assert.rejects(
        guest.control.configure(archive, 60_000, new AbortController().signal),
        /could not be set up/,
      );
    await refused(Buffer.alloc(2000, 'x'));
    await refused(Buffer.alloc(0));
    await guest.configure();
  });

  it('does not tell an engine what was meant for the one before, which was cut off', async () => {
    await guest.cutOff(`configure 01234567 50000\n${'x'.repeat(2000)}`);
    // It says so to the next one, and waits for that one until then.
    await sleep(1_500);
    await guest.reconnect();
    await guest.configure();
  });

  it('keeps no dead process, and starts sshd again when it dies', async () => {
    await guest.root('i=0; while [ $i -lt 20 ]; do (sleep 0.1 &) ; i=$((i + 1)); done');
    await until(
      'all are gone',
      async () => (await guest.root("grep -l '^State:.Z' /proc/[0-9]*/status | grep -c . || true")) === '0',
      60_000,
      200,
    );
    await guest.root('kill -9 "$(cat /run/berth/sshd.pid)"');
    await until('sshd is back', async () => (await guest.user('echo in')).stdout === 'in\n', 60_000, 500);
  });

  it('ends in order by the power button: programs get TERM and can still be heard, and the disks are clean', async () => {
    // It takes its time: with nobody who listens any more, the kernel would end it where it says something.
    const script = [
      'trap "sleep 1; sleep 1; sleep 1; echo last words; echo ended >/home/workspace/ended; exit 3" TERM',
      'echo ready >/home/workspace/ready',
      'while :; do sleep 0.1; done',
    ].join('; ');
    const session = guest.user(script);
    await until(
      'it runs',
      async () => (await guest.root('cat /home/workspace/ready 2>/dev/null || true')) === 'ready',
      60_000,
      200,
    );
    const pressed = performance.now();
    await guest.qmp.execute('system_powerdown');
    await guest.process.end;
    const took = performance.now() - pressed;
    assert(took < 30_000, `took ${Math.round(took)} ms`);
    assert.equal(guest.process.ended(), 'it ended with code 0');
    const { code, stdout } = await session;
    assert.equal(stdout, 'last words\n');
    assert.equal(code, 3);
    const check = await runE2fs('e2fsck', ['-f', '-n', bench.path('home')], 'check', 60_000);
    assert.equal(check.exitCode, 0, check.output);
    assert.doesNotMatch((await runProgram('dumpe2fs', ['-h', bench.path('root')])).stdout, /needs_recovery/);
    assert.equal((await runProgram('debugfs', ['-R', 'cat /ended', bench.path('home')])).stdout, 'ended\n');
  });
});

describe('a guest that can not become what it is told to', function () {
  this.timeout(400_000);
  let bench: GuestBench;
  before(async () => (bench = await GuestBench.open()));
  after(() => bench.dispose());

  it('says which disk is not one, and ends by the power button all the same', async () => {
    const root = await bench.disk('root', [await bench.busybox()]);
    const guest = await bench.boot({ root, home: bench.path('client') });
    await guest.waiting();
    await assert.rejects(guest.configure(), /volume can't be mounted: .*home/s);
    await assert.rejects(guest.configure(), /volume can't be mounted/);
    await guest.qmp.execute('system_powerdown');
    await guest.process.end;
    assert.match(await guest.console(), /BERTH FAILED a volume/);
  });

  it('says that its root is none, and waits on', async () => {
    const guest = await bench.boot({ root: bench.path('client'), home: await bench.disk('home2') });
    await guest.waiting();
    await assert.rejects(guest.configure(), /root disk can't be mounted/);
    await guest.reconnect();
    await assert.rejects(guest.configure(), /root disk can't be mounted/);
    guest.control.powerOff();
    await guest.process.end;
    assert.equal(guest.process.ended(), 'it ended with code 0');
    assert(guest.control instanceof ControlPort);
  });

  it('lets the engine in where root may not log in, without changing who root is', async () => {
    const users = { name: 'etc/passwd', mode: 0o644, content: 'root:x:0:0:root:/nowhere:/sbin/nologin\n' };
    const shadow = { name: 'etc/shadow', mode: 0o600, content: 'root:!:19000::::::\n' };
    const root = await bench.disk('root3', [await bench.busybox(), users, shadow]);
    const guest = await bench.boot({ root, home: await bench.disk('home3') });
    await guest.waiting();
    await guest.configure();
    assert.match(
      await guest.root('id -u; cat /etc/passwd'),
      /^0\nroot:x:0:0:root:\/nowhere:\/sbin\/nologin\nworkspace:/,
    );
    assert.equal(await guest.root('echo x >>/etc/passwd && tail -n 1 /etc/passwd'), 'x');
  });
});
