/** A container that gets other ports keeps all that it has outside of volumes, however often, and gains no layers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import { Bench, eventually, freePort, never } from './support';

/** All that a commit of the engine loses, and what it keeps. */
const make = `
import os, shutil, socket, struct
own = '/opt/own'
os.makedirs(own + '/deep')
def write(path, content=b'x', mode=0o644):
    with open(path, 'wb') as file:
        file.write(content)
    os.chmod(path, mode)
with open(own + '/hole', 'wb') as file:
    file.seek(3 << 30)
    file.write(b'end')
write(own + '/attributes')
os.setxattr(own + '/attributes', 'user.note', b'\\x00\\xff')
os.utime(own + '/attributes', ns=(1_000_000_000_123_456_789, 1_000_000_000_987_654_321))
write(own + '/one')
os.link(own + '/one', own + '/deep/other')
capability = struct.pack('<IIIII', 0x02000001, 1 << 10, 0, 0, 0)
write(own + '/capable', mode=0o755)
os.setxattr(own + '/capable', 'security.capability', capability)
write(own + '/set-id', mode=0o755)
os.chown(own + '/set-id', 5, 6)
os.chmod(own + '/set-id', 0o6751)
access = struct.pack('<IHHIHHIHHIHHIHHI', 2, 1, 6, 2**32 - 1, 2, 4, 1234, 4, 4, 2**32 - 1, 16, 6, 2**32 - 1, 32, 0, 2**32 - 1)
write(own + '/listed')
os.setxattr(own + '/listed', 'system.posix_acl_access', access)
os.mkdir(own + '/inherits')
os.setxattr(own + '/inherits', 'system.posix_acl_default', access)
write(own + '/inherits/not', mode=0o600)
os.removexattr(own + '/inherits/not', 'system.posix_acl_access')
os.chmod(own + '/inherits/not', 0o600)
os.mkfifo(own + '/fifo')
os.mknod(own + '/device', 0o20660, os.makedev(1, 3))
os.symlink('nowhere' * 100, own + '/link')
os.chown(own + '/link', 7, 8, follow_symlinks=False)
write(os.fsencode(own) + b'/\\xff\\xfe name')
write(own + '/line\\nbreak')
server = socket.socket(socket.AF_UNIX)
server.bind(own + '/socket')
os.chdir(own + '/deep')
for level in range(30):
    os.mkdir('d' * 200)
    os.chdir('d' * 200)
write('bottom')
os.chdir('/')
os.unlink('/etc/debian_version')
shutil.rmtree('/usr/share/perl5')
os.mkdir('/usr/share/perl5')
write('/usr/share/perl5/new')
os.unlink('/etc/issue')
os.mkdir('/etc/issue')
shutil.rmtree('/etc/skel')
os.symlink('/tmp', '/etc/skel')
os.chown('/srv', 1000, 1000)
before = os.stat('/etc/issue.net')
with open('/etc/issue.net', 'r+b') as file:
    file.write(b'other')
os.utime('/etc/issue.net', ns=(before.st_atime_ns, before.st_mtime_ns))
os.link('/usr/bin/perl', own + '/perl')
`;

/** One line for each entry of the root file system, with all that a copy may lose. */
const look = `
import hashlib, json, os, stat, sys
mounted = set(line.split(' ')[4] for line in open('/proc/self/mountinfo'))
own = []
groups = {}
def see(path, shown):
    try:
        s = os.lstat(path)
    except FileNotFoundError:
        return
    kind = stat.S_IFMT(s.st_mode)
    row = [shown, s.st_mode, s.st_uid, s.st_gid, s.st_rdev, s.st_mtime_ns]
    row.append({x: os.getxattr(path, x, follow_symlinks=False).hex() for x in sorted(os.listxattr(path, follow_symlinks=False))})
    if kind == stat.S_IFLNK:
        row.append(os.readlink(path))
    if kind == stat.S_IFREG:
        row += [s.st_size, s.st_blocks * 512 > s.st_size + 65536 or s.st_blocks > 2048 and s.st_size >> 30 > 1]
        if s.st_size < 1 << 20:
            row.append(hashlib.md5(open(path, 'rb').read()).hexdigest())
        if s.st_nlink > 1:
            row.append(groups.setdefault(s.st_ino, shown))
    own.append(row)
def walk(folder, shown):
    os.chdir(folder)
    for name in sorted(os.listdir('.')):
        below = shown + '/' + name
        if below in mounted:
            continue
        see(name, below)
        if stat.S_ISDIR(os.lstat(name).st_mode):
            walk(name, below)
            os.chdir('..')
sys.setrecursionlimit(5000)
walk('/', '')
print('\\n'.join(json.dumps(row, sort_keys=True) for row in own))
`;

describe('a container that gets other ports', function () {
  this.timeout(180_000);
  let bench: Bench;
  let plan: RuntimePlan;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  const python = async (code: string): Promise<string> => {
    const argv = ['/.berth/bin/python3', '-I', '-X', 'utf8', '-c', code];
    const { code: exit, stdout, stderr } = await bench.exec(plan.name, { argv, user: 'root', cwd: '/' });
    assert.equal(exit, 0, stderr);
    return stdout;
  };
  const facts = async (): Promise<string[]> =>
    (await python(look)).split('\n').filter((line) => !line.includes('"/opt/own/socket"'));
  const inspect = () => bench.docker.getContainer(plan.name).inspect();
  const drafts = async (): Promise<string[]> => {
    const all = await bench.docker.listContainers({ all: true });
    return all.flatMap(({ Names }) => Names).filter((name) => name.startsWith(`/${plan.name}.`));
  };

  async function move(): Promise<readonly string[]> {
    await bench.driver.stop(plan.name, 5_000);
    plan = { ...plan, sshPort: await freePort() };
    const { leftBehind = [], state, sshPort } = await bench.driver.refit(plan, never());
    assert.deepEqual([state, sshPort], ['stopped', plan.sshPort]);
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    await bench.driver.dropAside(plan.name);
    assert.equal((await bench.ssh(plan, 'cat ~/home')).stdout, 'home');
    return leftBehind;
  }

  it('has all its files, with holes, attributes, names and times, also after another move, and no more layers', async () => {
    plan = await bench.running();
    await bench.ssh(plan, 'printf home >~/home');
    await python(make);
    await bench.driver.stop(plan.name, 5_000);
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    const before = await facts();
    const { Image: image } = await inspect();
    assert.deepEqual(await move(), ['sockets (1, the first is "/opt/own/socket")']);
    assert.deepEqual(await facts(), before);
    assert.deepEqual(await move(), []);
    assert.deepEqual(await facts(), before);
    assert.equal((await inspect()).Image, image);
    assert.deepEqual(await drafts(), []);
    assert.match((await python("import os; print(os.stat('/opt/own/hole').st_blocks)")).trim(), /^\d{1,3}$/);
  });

  it('moves away from a port that another program has, and takes further networks along', async () => {
    const network = await bench.docker.createNetwork({
      Name: `${bench.prefix}-net`,
      Labels: { 'berth.installation': bench.installation },
    });
    try {
      await network.connect({ Container: plan.name, EndpointConfig: { Aliases: ['aliased'] } });
      await bench.driver.stop(plan.name, 5_000);
      const squatter = createServer().listen(plan.sshPort, '127.0.0.1');
      await once(squatter, 'listening');
      await move();
      squatter.close();
      const { Networks: networks } = (await inspect()).NetworkSettings;
      assert.deepEqual(Object.keys(networks).sort(), ['bridge', `${bench.prefix}-net`].sort());
      const aliases = networks[`${bench.prefix}-net`]?.Aliases as string[] | undefined;
      assert(aliases?.includes('aliased'));
    } finally {
      await network.disconnect({ Container: plan.name, Force: true });
      await network.remove();
    }
  });

  it('is as before when the move fails or is given up, with its networks', async () => {
    await bench.driver.stop(plan.name, 5_000);
    const before = await inspect();
    const ended = new AbortController();
    const other = { ...plan, sshPort: await freePort() };
    const moving = bench.driver.refit(other, ended.signal);
    moving.catch(() => undefined);
    await eventually('the other container runs', async () => {
      const running = await bench.docker.listContainers();
      return running.some(({ Names }) => Names.some((name) => name.startsWith(`/${plan.name}.`)));
    });
    ended.abort();
    await assert.rejects(moving, { code: 'cancelled' });
    const after = await inspect();
    assert.equal(after.Id, before.Id);
    assert.equal(after.State.Status, 'exited');
    assert.deepEqual(
      Object.keys(after.NetworkSettings.Networks),
      Object.keys(before.NetworkSettings.Networks),
    );
    assert.deepEqual(await drafts(), []);
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    assert.equal((await bench.ssh(plan, 'cat ~/home')).stdout, 'home');
  });

  it('is as before when it is started while a move has left it running without its networks', async () => {
    await bench.driver.stop(plan.name, 5_000);
    const { Id: id, Image: image } = await inspect();
    await bench.docker.createContainer({
      name: `${plan.name}.moving-${bench.installation.slice(0, 8)}`,
      Image: image,
      Labels: {
        'berth.installation': bench.installation,
        'berth.moves': id,
        'berth.networks': JSON.stringify({ bridge: {}, [`${bench.prefix}-gone`]: {} }),
      },
    });
    await bench.docker.getNetwork('bridge').disconnect({ Container: id });
    await bench.docker.getContainer(id).start();
    await bench.driver.start(plan.name);
    await bench.driver.configure(plan.name, bench.startPlan(), never());
    assert.equal((await bench.ssh(plan, 'cat ~/home')).stdout, 'home');
    assert.deepEqual(Object.keys((await inspect()).NetworkSettings.Networks), ['bridge']);
    assert.deepEqual([(await inspect()).Id, await drafts()], [id, []]);
    await bench.driver.list();
    assert.equal((await inspect()).State.Status, 'running');
  });
});
