import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { toReadable } from '../../../../src/backend/drivers/containers/engine/streams';
import { Bench, eventually, execute, never, text } from './support';
import { skipWithout } from '../../../support/skip';

describe('a container that is configured', function () {
  this.timeout(180_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  const nasty = {
    PLAIN: 'value',
    EMPTY: '',
    SPACES: ' two  words ',
    QUOTES: `a "double" 'single' \`back\``,
    DOLLAR: '$HOME ${PATH} $(id) %h %% #comment',
    BACKSLASH: 'C:\\new\\',
    UNICODE: 'größe ✓',
    MULTILINE: 'first\nsecond "third"\n',
  };

  it('answers SSH with its own host key and shows the environment in every way in', async () => {
    const plan = await bench.running(
      { env: { SPEC: 'from the spec' } },
      { env: { SPEC: 'from the spec', ...nasty } },
    );
    const dump = Object.keys(nasty)
      .map((name) => `printf '%s\\0' "$${name}"`)
      .join(';');
    const expected = Object.values(nasty).join('\0') + '\0';
    assert.equal((await bench.ssh(plan, dump)).stdout, expected);
    assert.equal((await bench.ssh(plan, `bash -lc '${dump.replaceAll("'", `'\\''`)}'`)).stdout, expected);
    assert.equal((await bench.exec(plan.name, { argv: ['sh', '-c', dump] })).stdout, expected);
    const environment = await bench.ssh(plan, 'cat /etc/environment');
    assert.match(environment.stdout, /^SPEC="from the spec"$/m);
    assert.doesNotMatch(environment.stdout, /QUOTES|PLAIN/, 'what is no spec may be a secret');
    const found = await bench.ssh(plan, 'sudo grep -rl "two  words" /etc /var /usr/local /home 2>/dev/null');
    assert.equal(found.stdout, '', 'secrets are in memory only');
    const changes = (await bench.docker.getContainer(plan.name).changes()) as { Path: string }[];
    assert.ok(!changes.some(({ Path }) => Path.startsWith('/run/berth/')));
    const inspected = JSON.stringify(await bench.docker.getContainer(plan.name).inspect());
    assert.doesNotMatch(inspected, /two {2}words/);
  });

  it('refuses another host key, another client key and a password', async () => {
    const plan = await bench.running();
    const other = await Bench.open();
    try {
      const wrongHost = await other.sshOptions(plan);
      const argv = ['-p', String(plan.sshPort), 'workspace@127.0.0.1', 'true'];
      assert.match((await execute('ssh', [...wrongHost, ...argv])).stderr, /host key.*verification failed/i);
      const mine = await bench.sshOptions(plan);
      mine[mine.indexOf('-i') + 1] = join(other.folder, 'client');
      assert.match((await execute('ssh', [...mine, ...argv])).stderr, /Permission denied \(publickey\)/);
    } finally {
      await other.dispose();
    }
  });

  it('puts files in with their modes and owner, by way of no link', async () => {
    const plan = await bench.plan();
    await bench.driver.create(plan, never());
    await bench.driver.start(plan.name);
    const files = [
      { target: '/home/workspace/.ssh/id_ed25519', mode: 0o600, content: Buffer.from('private') },
      { target: '/home/workspace/.config/deep/er/file', mode: 0o644, content: Buffer.from('public') },
      { target: '/workspace/by-alias', mode: 0o644, content: Buffer.from('alias') },
      { target: '/opt/tool/settings', mode: 0o644, content: Buffer.from('settings') },
      { target: `/home/workspace/it's "odd" $(name)`, mode: 0o600, content: Buffer.from([0, 255, 10]) },
    ];
    await bench.driver.configure(plan.name, bench.startPlan({ files }), never());
    const paths = [
      '.ssh',
      '.ssh/id_ed25519',
      '.config',
      '.config/deep/er/file',
      'by-alias',
      '/opt/tool',
      '/opt/tool/settings',
    ];
    const seen = await bench.ssh(plan, `stat -c '%a %U' ${paths.join(' ')} /etc /home/workspace`);
    assert.deepEqual(seen.stdout.trim().split('\n'), [
      '700 workspace',
      '600 workspace',
      '700 workspace',
      '644 workspace',
      '644 workspace',
      '700 workspace',
      '644 workspace',
      '755 root',
      '755 workspace',
    ]);
    const odd = await bench.exec(plan.name, { argv: ['cat', `/home/workspace/it's "odd" $(name)`] });
    assert.equal(odd.stdout.length, 3);

    await bench.ssh(plan, 'rm -rf .config && ln -s /etc .config');
    const trap = [{ target: '/home/workspace/.config/passwd', mode: 0o600, content: Buffer.from('mine') }];
    const missing = await bench.driver.configure(plan.name, bench.startPlan({ files: trap }), never());
    assert.equal(missing.length, 1);
    assert.match(missing[0] ?? '', /can't (open|remove|create)|Permission denied/i);
    assert.match((await bench.ssh(plan, 'cat /etc/passwd')).stdout, /^root:/);
  });

  it('can be configured again while sessions go on, and after a restart', async () => {
    const plan = await bench.running({}, { env: { STAGE: 'one' } });
    const open = bench.ssh(plan, 'sleep 2; echo still $STAGE');
    await eventually('the session', async () => (await bench.driver.attached(plan.name)) === 1);
    await bench.driver.configure(plan.name, bench.startPlan({ env: { STAGE: 'two' } }), never());
    await eventually('the new one', async () => (await bench.ssh(plan, 'echo $STAGE')).stdout === 'two\n');
    assert.equal((await open).stdout, 'still one\n');
    await bench.driver.stop(plan.name, 10_000);
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan({ env: { STAGE: 'three' } }), never());
    assert.equal((await bench.ssh(plan, 'echo $STAGE')).stdout, 'three\n');
    const passwd = await bench.ssh(plan, 'grep -c ^workspace: /etc/passwd; grep -c berth /etc/environment');
    assert.equal(passwd.stdout, '1\n0\n');
  });

  it('starts sshd again when it dies', async () => {
    const plan = await bench.running();
    await bench.exec(plan.name, { argv: ['sh', '-c', 'kill -9 $(cat /run/berth/sshd.pid)'], user: 'root' });
    await eventually('sshd to be back', async () => (await bench.ssh(plan, 'true')).code === 0);
  });

  it('keeps the home volume when the container is made anew', async () => {
    const plan = await bench.running();
    await bench.ssh(plan, 'echo kept >/workspace/file; ls -A ~ >all');
    await bench.driver.remove(plan.name);
    const again = await bench.running({ workspace: plan.workspace, sshPort: plan.sshPort });
    assert.equal((await bench.ssh(again, 'cat ~/file')).stdout, 'kept\n');
  });

  it('lets scp, sftp, rsync, git and port forwarding work', async () => {
    const plan = await bench.running();
    const options = await bench.sshOptions(plan);
    const file = join(bench.folder, 'file');
    await writeFile(file, 'x'.repeat(100_000));
    const port = String(plan.sshPort);
    const scp = await execute('scp', [...options, '-P', port, file, 'workspace@127.0.0.1:by-scp']);
    assert.equal(scp.code, 0, scp.stderr);
    const sftp = await execute(
      'sftp',
      [...options, '-P', port, '-b', '-', 'workspace@127.0.0.1'],
      `put ${file} by-sftp\n`,
    );
    assert.equal(sftp.code, 0, sftp.stderr);
    const shell = ['ssh', ...options, '-p', port].join(' ');
    const rsync = await execute('rsync', ['-e', shell, file, 'workspace@127.0.0.1:by-rsync']);
    assert.equal(rsync.code, 0, rsync.stderr);
    const sizes = await bench.ssh(plan, 'stat -c %s by-scp by-sftp by-rsync');
    assert.equal(sizes.stdout, '100000\n100000\n100000\n');
    await bench.ssh(
      plan,
      'git init -q r && cd r && git -c user.name=a -c user.email=b commit -q --allow-empty -m one',
    );
    const url = `ssh://workspace@127.0.0.1:${port}/home/workspace/r`;
    const clone = await execute('git', [
      '-c',
      `core.sshCommand=${shell}`,
      'clone',
      '-q',
      url,
      join(bench.folder, 'r'),
    ]);
    assert.equal(clone.code, 0, clone.stderr);
    const through = ['-W', '127.0.0.1:22', '-p', port, 'workspace@127.0.0.1'];
    assert.match((await execute('ssh', [...options, ...through])).stdout, /^SSH-2\.0-OpenSSH/);
  });

  it('says that the disk is full when files do not fit', async () => {
    const plan = await bench.plan();
    await bench.docker.createVolume({
      Name: plan.homeVolume,
      Labels: { 'berth.installation': bench.installation },
      DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=64k' },
    });
    await bench.driver.create(plan, never());
    await bench.driver.start(plan.name);
    const files = [{ target: '/home/workspace/large', mode: 0o644, content: Buffer.alloc(200_000) }];
    await assert.rejects(bench.driver.configure(plan.name, bench.startPlan({ files }), never()), {
      code: 'no_space',
    });
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    assert.equal((await bench.ssh(plan, 'echo in')).stdout, 'in\n', 'it can be tried again');
  });

  it('works with an image that names no variables, no user and no command', async () => {
    const plan = await bench.running({ image: await bench.bareImage([], []) });
    assert.equal((await bench.ssh(plan, 'id -un; echo $HOME')).stdout, 'workspace\n/home/workspace\n');
    assert.equal(
      (await bench.exec(plan.name, { argv: ['sh', '-c', 'echo $0 $USER'] })).stdout,
      'sh workspace\n',
    );
    await bench.driver.remove(plan.name);
  });

  it('works with an image from scratch that holds nothing but busybox', async () => {
    const image = await bench.bareImage();
    const plan = await bench.running({ image });
    const seen = await bench.ssh(
      plan,
      'id -un; echo $HOME $FROM_IMAGE; echo $0; ls -a /workspace; touch ~/x && echo ok',
    );
    assert.equal(seen.code, 0, seen.stderr);
    assert.match(seen.stdout, /^workspace\n\/home\/workspace yes\n/);
    assert.match(seen.stdout, /ok\n$/);
    const options = await bench.sshOptions(plan);
    const file = join(bench.folder, 'bare');
    await writeFile(file, 'content');
    const port = String(plan.sshPort);
    const scp = await execute('scp', [...options, '-P', port, file, 'workspace@127.0.0.1:by-scp']);
    assert.equal(scp.code, 0, scp.stderr);
    assert.deepEqual(await bench.driver.stop(plan.name, 10_000), { killed: false });
  });

  it('works where uid 1000 is another name, and where workspace has another uid', async () => {
    const users = 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n';
    const groups = 'root:x:0:\nnode:x:1000:\n';
    const shadow = 'root:!:19000::::::\nnode:!:19000::::::\n';
    const taken = await bench.bareImage([
      { name: 'etc/passwd', content: users },
      { name: 'etc/group', content: groups },
      { name: 'etc/shadow', content: shadow, mode: 0o640 },
    ]);
    const one = await bench.running({ image: taken });
    assert.equal(
      (await bench.ssh(one, 'id -un; id -u; cat /etc/passwd')).stdout.split('\n').slice(0, 2).join(),
      'workspace,1000',
    );
    const moved = await bench.bareImage([
      {
        name: 'etc/passwd',
        content: `root:x:0:0:root:/root:/bin/sh\nworkspace:x:1500:1500::/elsewhere:/no/such/shell\n`,
      },
      { name: 'etc/group', content: 'root:x:0:\nworkspace:x:1500:\n' },
      { name: 'etc/shadow', content: 'workspace:!:19000::::::\n', mode: 0o640 },
      { name: 'etc/skel/.profile', content: 'export FROM_SKEL=1\n' },
    ]);
    const two = await bench.running({ image: moved });
    const seen = await bench.ssh(two, 'id -u; id -g; pwd; cat .profile; ls -ln .profile');
    assert.match(seen.stdout, /^1000\n1000\n\/home\/workspace\nexport FROM_SKEL=1\n.* 1000 +1000 /);
  });

  it('works with a Debian of packages alone', async function () {
    const base = 'berth-base:bookworm';
    if ((await bench.driver.images.resolve(base)) === undefined) {
      skipWithout(this, `the image ${base} is not here`);
    }
    const plan = await bench.running({ image: base });
    assert.match(
      (await bench.ssh(plan, 'id -un; . /etc/os-release; echo $ID; tty')).stdout,
      /^workspace\ndebian\n/,
    );
  });

  it('lets a container without a network be reached by SSH, also by an engine that was started anew', async () => {
    const plan = await bench.running({ network: 'off' });
    const interfaces = await bench.ssh(plan, 'ls /sys/class/net; id -un');
    assert.equal(interfaces.stdout, 'lo\nworkspace\n', interfaces.stderr);
    const options = await bench.sshOptions(plan);
    const file = join(bench.folder, 'offline');
    await writeFile(file, 'y'.repeat(3_000_000));
    const copy = ['-P', String(plan.sshPort), file, 'workspace@127.0.0.1:file'];
    const scp = await execute('scp', [...options, ...copy]);
    assert.equal(scp.code, 0, scp.stderr);
    assert.equal((await bench.ssh(plan, 'stat -c %s file')).stdout, '3000000\n');
    await bench.driver.close();
    assert.notEqual((await bench.ssh(plan, 'true')).code, 0);
    const successor = bench.another();
    try {
      await successor.list();
      assert.equal((await bench.ssh(plan, 'cat file | wc -c')).stdout, '3000000\n');
      await successor.stop(plan.name, 5000);
      assert.match((await bench.ssh(plan, 'true')).stderr, /Connection refused/);
    } finally {
      await successor.close();
    }
  });

  it('says in a sentence when an image is for another processor', async () => {
    const image = await bench.bareImage();
    const inspected = await bench.docker.getImage(image).inspect();
    const other = await foreignCopy(bench, image, inspected.Architecture === 'arm64' ? 'amd64' : 'arm64');
    await assert.rejects(bench.driver.create(await bench.plan({ image: other }), never()), {
      code: 'not_supported',
      message: /is for linux\/(arm64|amd64)/,
    });
  });
});

/** The same layers, said to be for another processor: what `docker save` gives, changed and loaded again. */
async function foreignCopy(bench: Bench, image: string, architecture: string): Promise<string> {
  const { extract, pack } = await import('tar-stream');
  const source = extract();
  const target = pack();
  const saved = await bench.docker.getImage(image).get();
  saved.pipe(source);
  const repo = `${image.split(':')[0] ?? ''}-${architecture}`;
  for await (const entry of source) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) {
      chunks.push(Buffer.from(chunk as Buffer));
    }
    let content = Buffer.concat(chunks);
    const { name, mode, type, linkname } = entry.header;
    if (/^[0-9a-f]{64}\.json$/.test(name) || name === 'manifest.json') {
      const changed = content
        .toString('utf8')
        .replace(/"architecture":"[^"]*"/, `"architecture":"${architecture}"`)
        .replace(/"RepoTags":\[[^\]]*\]/, `"RepoTags":["${repo}:1"]`);
      content = Buffer.from(changed);
    }
    target.entry({ name, mode, type, linkname }, content);
  }
  target.finalize();
  const loading = await bench.docker.loadImage(Readable.from(target, { objectMode: false }));
  await text(toReadable(loading));
  bench.forget(`${repo}:1`);
  return `${repo}:1`;
}
