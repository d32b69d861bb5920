/** Variables and secrets: where they are seen, and where they never are. */
import assert from 'node:assert/strict';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { runProgram } from '../../support/programs';
import { itOfContainers, timeoutFactor, testTimeoutMs } from '../../support/runtimes/columns';

const path = '/opt/mine/bin:/usr/local/bin:/usr/bin:/bin';
const plain = 'it\'s "quoted", $HOME `id` \\n #x';

describe('ssh: variables and secrets', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  const secret = `s3cr3t-${Math.random().toString(36).slice(2)}`;
  let name: string;

  before(async () => {
    ({ name } = await harness().create({
      env: { PLAIN: plain, EMPTY: '', LINES: 'a\nb', PATH_LIKE: '/a:/b', PATH: path },
      secrets: { TOKEN: secret, SECRET_LINES: `${secret}\nsecond` },
    }));
  });

  const show = 'printf "%s|%s|%s|%s|%s" "$PLAIN" "${EMPTY-unset}" "$LINES" "$TOKEN" "$SECRET_LINES"';
  const expected = `${plain}||a\nb|${secret}|${secret}\nsecond`;

  it('are seen by a command over SSH', async () => {
    assert.equal(await harness().ssh(name, [show]), expected);
  });

  it('are seen by a login shell and by an interactive one', async () => {
    assert.equal(await harness().ssh(name, [`bash -lc '${show}'`]), expected);
    assert.equal(
      await harness().ssh(name, [`env -i HOME=$HOME PATH=$PATH TOKEN=$TOKEN bash -c 'echo $TOKEN'`]),
      secret,
    );
    const argv = ['-tt', ...harness().sshOptions(), `berth-${name}`];
    const { stdout } = await runProgram('ssh', argv, { input: 'echo "<$PLAIN|$TOKEN>"; exit\n' });
    assert(stdout.includes(`<${plain}|${secret}>`), stdout);
  });

  it('are all of PATH in login shells as well, before what the distribution adds', async () => {
    for (const shell of ['bash', 'sh']) {
      const seen = await harness().ssh(name, [`${shell} -lc 'echo "$PATH"'`]);
      assert(seen.startsWith(`${path}:`), seen);
      assert.equal(new Set(seen.split(':')).size, seen.split(':').length, seen);
    }
    assert((await harness().sh(name, `bash -lc 'echo "$PATH"'`)).startsWith(`${path}:`));
  });

  it('bring no locale that the image does not have', async () => {
    const argv = ['-o', 'SendEnv=LANG LC_*', ...harness().sshOptions(), `berth-${name}`, 'locale; perl -e 1'];
    const env = { ...process.env, LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' };
    const { stdout, stderr } = await runProgram('ssh', argv, { env });
    assert.match(stdout, /^LANG=C\.UTF-8$/m);
    assert.equal(stderr, '');
  });

  it('are seen by sftp-less programs: sh, and what a daemon of VS Code would start', async () => {
    assert.equal(await harness().ssh(name, ['sh -c "sh -c \'echo \\$TOKEN\'"']), secret);
    assert.equal(await harness().ssh(name, ['setsid -w printenv TOKEN PATH_LIKE']), `${secret}\n/a:/b`);
  });

  it('are seen by commands through the API', async () => {
    assert.equal(await harness().sh(name, show), expected);
  });

  it('stay after a restart, and a secret can be replaced', async () => {
    await harness().verb('restart', name);
    assert.equal(await harness().ssh(name, [show]), expected);
    const { secretNames } = (await harness().workspace(name)).spec;
    assert.deepEqual(secretNames, ['SECRET_LINES', 'TOKEN']);
  });

  itOfContainers(
    'docker inspect',
    'secrets are not in docker inspect, not in the container log',
    async () => {
      const container = harness().container(name);
      assert(!JSON.stringify(await container.inspect()).includes(secret));
      const log = await container.logs({ stdout: true, stderr: true });
      assert(!log.toString().includes(secret));
    },
  );

  /** Lines that end with a zero byte: so grep skips what sparse disks have no blocks for. */
  const withSecret = async () => {
    const argv = ['-rlzaF', '--', secret, harness().home];
    return (await runProgram('grep', argv, { timeoutMs: 30_000 * timeoutFactor })).stdout;
  };

  it('secrets are in no file of the state directory, neither records, operations, disks nor the log', async () => {
    assert.equal(await withSecret(), '');
    await writeFile(join(harness().home, 'counterproof'), `a ${secret} b`);
    assert.match(await withSecret(), /counterproof/);
    await rm(join(harness().home, 'counterproof'));
  });

  it('secrets are in no argv, here or inside, while a workspace starts', async () => {
    const seen: string[] = [];
    const done = new AbortController();
    const watching = (async () => {
      while (!done.signal.aborted) {
        const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
        const argvs = await Promise.all(
          pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')),
        );
        seen.push(...argvs.filter((argv) => argv.includes(secret)));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await harness().verb('restart', name);
    await harness().sh(name, 'true');
    done.abort();
    await watching;
    assert.deepEqual(seen, []);
  });

  it('secrets are in no disk of a stopped one', async () => {
    await harness().verb('stop', name);
    assert.equal(await withSecret(), '');
    await harness().verb('start', name);
  });

  itOfContainers(
    'docker inspect',
    'secrets are in no image that is made of the container, and not in its home volume',
    async () => {
      await harness().verb('stop', name);
      const repo = `berth-test-${harness().prefix}`;
      const changes = (await harness().container(name).changes()) as { Path: string }[] | null;
      assert(!JSON.stringify(changes).includes(secret));
      await harness().container(name).commit({ repo, tag: 'x' });
      const image = harness().docker.getImage(`${repo}:x`);
      try {
        assert(!JSON.stringify(await image.inspect()).includes(secret));
        const grep = [
          'grep',
          '-rlaF',
          '--',
          secret,
          '/etc',
          '/home',
          '/root',
          '/run',
          '/tmp',
          '/var',
          '/opt',
        ];
        const { stdout } = await runProgram('docker', ['run', '--rm', `${repo}:x`, ...grep]);
        assert.equal(stdout, '');
        const volume = `workspace-${name}:/v:ro`;
        const inside = ['run', '--rm', '-v', volume, 'workspace:latest', 'grep', '-rlaF', '--', secret, '/v'];
        assert.equal((await runProgram('docker', inside)).stdout, '');
      } finally {
        await image.remove({ force: true });
      }
      await harness().verb('start', name);
    },
  );

  itLeavesNothing(harness);
});
