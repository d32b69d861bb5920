/** The real OpenSSH programs, rsync and git, over the generated config. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { ownPortRange } from '../../support/ports';
import { runProgram, succeed } from '../../support/programs';
import { itMostlyOfEngine, testTimeoutMs } from '../../support/runtimes/columns';

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

describe('ssh: real clients', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  const blob = randomBytes(2_000_000);
  let name: string;
  let host: string;

  const path = (file: string) => join(harness().folder, file);
  const remoteHash = async (file: string) => (await harness().sh(name, `sha256sum ${file}`)).split(' ')[0];

  before(async () => {
    ({ name } = await harness().create());
    host = `berth-${name}`;
    await writeFile(path('blob'), blob);
  });

  it('ssh: passes commands, input, output, errors and exit codes', async () => {
    assert.equal(await harness().ssh(name, ['id -un; hostname; pwd']), `workspace\n${name}\n/home/workspace`);
    const ran = await harness().trySsh(name, ['cat; echo to-stderr >&2; exit 7'], { input: 'typed' });
    assert.deepEqual(ran, { code: 7, stdout: 'typed', stderr: 'to-stderr\n' });
  });

  it('ssh -t: has a terminal', async () => {
    const argv = ['-tt', ...harness().sshOptions(), host, 'tty; stty size'];
    assert.match((await runProgram('ssh', argv)).stdout, /^\/dev\/pts\/\d+/);
  });

  it('scp: copies there and back', async () => {
    await succeed('scp', ['-q', ...harness().sshOptions(), path('blob'), `${host}:up by scp`]);
    assert.equal(await remoteHash('"up by scp"'), sha256(blob));
    await succeed('scp', ['-q', ...harness().sshOptions(), `${host}:up by scp`, path('back')]);
    assert.deepEqual(await readFile(path('back')), blob);
    await succeed('scp', ['-q', '-O', ...harness().sshOptions(), path('blob'), `${host}:legacy`]);
    assert.equal(await remoteHash('legacy'), sha256(blob));
  });

  it('sftp: puts, lists, renames, gets', async () => {
    const input = [
      `put ${path('blob')} one`,
      'rename one two',
      'mkdir d',
      'ls -1',
      `get two ${path('two')}`,
    ].join('\n');
    const said = await succeed('sftp', ['-q', '-b', '-', ...harness().sshOptions(), host], { input });
    assert.match(said, /^two$/m);
    assert.deepEqual(await readFile(path('two')), blob);
  });

  it('rsync: copies a tree, and only what changed', async () => {
    const tree = path('tree');
    await mkdir(join(tree, 'deep'), { recursive: true });
    await writeFile(join(tree, 'deep', 'blob'), blob);
    await writeFile(join(tree, 'small'), 'one');
    const rsh = ['ssh', '-F', harness().plainly(harness().sshConfig)].join(' ');
    const sync = () => succeed('rsync', ['-a', '--stats', '-e', rsh, `${tree}/`, `${host}:tree/`]);
    await sync();
    assert.equal(await remoteHash('tree/deep/blob'), sha256(blob));
    await writeFile(join(tree, 'small'), 'other');
    assert.match(await sync(), /Number of regular files transferred: 1\b/);
  });

  itMostlyOfEngine('git: clones, and pushes into a branch', async () => {
    const identity = 'git config --global user.email a@b; git config --global user.name A';
    await harness().sh(
      name,
      `${identity}; git init -q -b main code && cd code && echo 1 >f && git add f && git commit -qm One`,
    );
    const config = harness().plainly(harness().sshConfig);
    const env = { GIT_SSH_COMMAND: ['ssh', '-F', config].join(' ') };
    const git = (...argv: string[]) =>
      succeed('git', ['-c', 'user.name=B', '-c', 'user.email=b@c', ...argv], { env });
    await git('clone', '-q', `${host}:code`, path('clone'));
    await writeFile(join(path('clone'), 'g'), '2');
    await git('-C', path('clone'), 'add', 'g');
    await git('-C', path('clone'), 'commit', '-qm', 'Two');
    await git('-C', path('clone'), 'push', '-q', 'origin', 'HEAD:refs/heads/topic');
    assert.equal(await harness().sh(name, 'cd code && git show topic:g'), '2');
  });

  it('ssh -L: reaches a server inside', async () => {
    const serve = `import socket\ns=socket.create_server(("127.0.0.1",8123))\nwhile 1:\n c,_=s.accept(); c.sendall(b"from inside"); c.close()\n`;
    const { first: port } = ownPortRange(1);
    const forward = ['-L', `127.0.0.1:${port}:127.0.0.1:8123`, '-o', 'ExitOnForwardFailure=yes'];
    const argv = [...forward, ...harness().sshOptions(), host, `python3 -c '${serve}'`];
    const child = spawn('ssh', argv, { stdio: ['ignore', 'inherit', 'pipe'] });
    const ended = once(child, 'close');
    let said = '';
    child.stderr.on('data', (chunk) => (said += String(chunk)));
    try {
      const answer = eventually('the server inside answers', () => {
        assert.equal(child.exitCode, null, `ssh ended: ${said}`);
        return readAllFrom(port);
      });
      assert.equal(await answer.catch((e: unknown) => assert.fail(`${String(e)}\n${said}`)), 'from inside');
    } finally {
      child.kill();
      await ended;
    }
  });

  itMostlyOfEngine('several sessions over one connection', async () => {
    const control = join('/tmp', `${harness().prefix}.ctl`);
    const master = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${control}`, '-o', 'ControlPersist=20'];
    await succeed('ssh', [...master, ...harness().sshOptions(), '-f', '-N', host], {
      timeoutMs: 20_000,
    }).catch(() => undefined);
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        succeed('ssh', [...master, ...harness().sshOptions(), host, 'echo', String(n)]),
      ),
    );
    assert.deepEqual(answers, ['1', '2', '3', '4', '5']);
    await runProgram('ssh', ['-O', 'exit', ...master, ...harness().sshOptions(), host]);
  });

  it('ssh: hears programs to their last word when the workspace stops', async () => {
    // They take their time: with nobody who listens any more, the kernel would end them where they say something.
    const script = 'trap "sleep 1; sleep 1; echo last words; echo done >~/done; exit 3" TERM; touch ~/ready';
    const session = harness().trySsh(name, [`${script}; while :; do sleep 0.1; done`]);
    await eventually('it runs', async () => (await harness().trySsh(name, ['test -e ready'])).code === 0);
    await harness().verb('stop', name);
    const { code, stdout, stderr } = await session;
    assert.deepEqual([code, stdout], [3, 'last words\n'], stderr);
    await harness().verb('start', name);
    assert.equal(await harness().sh(name, 'cat done'), 'done');
  });

  itLeavesNothing(harness);
});

/** What a server on loopback says; undefined while there is none. */
function readAllFrom(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(port, '127.0.0.1');
    socket
      .setTimeout(5_000, () => socket.destroy())
      .on('data', (chunk) => (said += chunk.toString()))
      .on('close', () => resolve(said === '' ? undefined : said))
      .on('error', () => resolve(undefined));
  });
}
