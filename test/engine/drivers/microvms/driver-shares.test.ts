/** Folders of this machine in several microVMs at once, and in a container, with the real virtiofsd. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedMount, RuntimePlan } from '../../../../src/backend/drivers/driver';
import { startDetached } from '../../../../src/backend/drivers/microvms/qemu/process';
import { MicrovmFiles } from '../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import { daemonOf } from '../../../../src/backend/drivers/microvms/virtiofs/shares';
import { findVirtiofsd, servingCommand } from '../../../../src/backend/drivers/microvms/virtiofs/daemon';
import { runProgram } from '../../../support/programs';
import { obstacleToShares } from '../../../support/runtimes/microvms';
import { skipWithout } from '../../../support/skip';
import { until } from '../../../support/wait';
import { Bench, never } from './driver-bench';

/** Daemons with this folder on their command line. */
async function daemonsOf(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter(
    (_, index) => (lines[index] ?? '').includes('virtiofsd') && (lines[index] ?? '').includes(folder),
  );
}

describe('folders shared with microVMs', function () {
  this.timeout(300_000);
  let bench: Bench;
  let opened: Bench | undefined;
  let folder: string;
  let writer: RuntimePlan;
  let reader: RuntimePlan;
  const shared = (target: string, readOnly = false): PlannedMount => {
    return { kind: 'volume', source: 'shared', target, readOnly, folder };
  };
  before(async function () {
    const obstacle = await obstacleToShares();
    if (obstacle !== undefined) {
      skipWithout(this, obstacle);
    }
    bench = opened = await Bench.open();
    const volume = await bench.driver.volumes.create({ name: 'shared', kind: 'directory' });
    folder = volume.path!;
    writer = await bench.running({ mounts: [shared('/data')] });
    reader = await bench.running({ mounts: [shared('/in put', true)] });
  });
  after(() => opened?.dispose());

  it('are seen by all of them at once, and by us, with owners and modes', async () => {
    const wrote = await bench.shell(
      writer.name,
      'findmnt -nro FSTYPE /data; umask 027; mkdir /data/d && echo written >/data/d/file; id -u',
    );
    assert.equal(wrote.stdout, 'virtiofs\n1000\n', wrote.stderr);
    assert.equal(await readFile(join(folder, 'd/file'), 'utf8'), 'written\n');
    const { uid, mode } = await stat(join(folder, 'd/file'));
    assert.deepEqual([uid, mode & 0o777], [1000, 0o640]);
    const read = await bench.shell(reader.name, 'cat "/in put/d/file"');
    assert.equal(read.stdout, 'written\n', read.stderr);
    const files = await bench.driver.volumes.files('shared');
    assert.deepEqual(
      (await files.list('/d')).entries.map(({ name, size }) => [name, size]),
      [['file', 8]],
    );
    await files.write('/from-us', Buffer.from('ours'), { create: true, overwrite: false });
    assert.equal((await bench.shell(writer.name, 'cat /data/from-us')).stdout, 'ours');
  });

  it('keep the attributes that users set, and show and take no others', async () => {
    const file = join(folder, 'd/file');
    const here = async (script: string) =>
      (await runProgram('python3', ['-c', `import os, sys\nf = sys.argv[1]\n${script}`, file])).stdout;
    await here('os.setxattr(f, "trusted.ours", b"x"); os.setxattr(f, "user.ours", b"x")');
    const script = [
      'import os',
      'f = "/data/d/file"',
      'print(os.listxattr(f))',
      'os.setxattr(f, "user.theirs", b"y")',
      'for name in "trusted.a", "security.a":',
      ' try: os.setxattr(f, name, b"y"); print(name)',
      ' except OSError: pass',
    ];
    const ran = await bench.shell(writer.name, `python3 -c '${script.join('\n')}'`, 'root');
    assert.equal(ran.stdout, "['user.ours']\n", ran.stderr);
    const found = await here('print(sorted(os.listxattr(f)), os.getxattr(f, "user.theirs"))');
    assert.equal(found, "['trusted.ours', 'user.ours', 'user.theirs'] b'y'\n");
    await bench.shell(writer.name, 'setcap cap_net_raw=ep /data/d/file', 'root');
    assert.doesNotMatch(await here('print(os.listxattr(f))'), /'security/);
  });

  it('are written to by nobody who has them read-only, not even by root after a remount', async () => {
    const ran = await bench.shell(
      reader.name,
      'touch "/in put/x"; mount -o remount,rw "/in put"; mkdir /mnt/again && mount -t virtiofs v0 /mnt/again; ' +
        'touch "/in put/y" /mnt/again/z; rm -rf /mnt/again/d; ls /mnt/again',
      'root',
    );
    assert.equal(ran.stdout, 'd\nfrom-us\n', ran.stderr);
    assert.deepEqual((await readdir(folder)).sort(), ['d', 'from-us']);
  });

  it('are in a container at the same time', async () => {
    const ran = await runProgram('docker', [
      ...['run', '--rm', '--network', 'none', '--mount', `type=bind,source=${folder},target=/data`],
      ...['workspace:latest', 'sh', '-c', 'cat /data/d/file; echo contained >/data/container'],
    ]);
    assert.equal(ran.stdout, 'written\n', ran.stderr);
    assert.equal((await bench.shell(reader.name, 'cat "/in put/container"')).stdout, 'contained\n');
  });

  it('stay mounted when the engine ends and another one begins; a pause keeps them', async () => {
    const daemons = await daemonsOf(folder);
    await bench.restartEngine();
    await bench.driver.list();
    assert.deepEqual(await daemonsOf(folder), daemons);
    await bench.driver.pause(reader.name);
    assert.equal((await bench.driver.inspect(reader.name))?.state, 'paused');
    await bench.driver.resume(reader.name);
    assert.equal((await bench.shell(reader.name, 'cat "/in put/d/file"')).stdout, 'written\n');
    assert.deepEqual(bench.warnings, []);
  });

  it('are told to be lost when their daemon has ended, and the machine stops in order with all that was written', async () => {
    const info = async () => bench.driver.inspect(reader.name);
    assert.equal((await info())?.warning, undefined);
    const socket = new MicrovmFiles(bench.home).of(reader.name).shareSocket('v0');
    bench.events.length = 0;
    process.kill((await daemonOf(socket))!.pid, 'SIGKILL');
    await until('it is warned of', async () => (await info())?.warning !== undefined, 30_000);
    const { code, message, hint } = (await info())?.warning ?? assert.fail();
    assert.equal(code, 'share-lost');
    assert.match(message, /shared at \/in put waits for ever/);
    assert.match(hint ?? '', new RegExp(`berth restart ${reader.workspace}`));
    assert(bench.events.length > 0, 'it is told');
    // Found by the next engine, too.
    await bench.restartEngine();
    await bench.driver.list();
    await until('it is warned of', async () => (await info())?.warning?.code === 'share-lost', 30_000);
    // Whoever asks for it waits for ever: nobody else does.
    const waits = await bench.driver.exec(reader.name, { argv: ['ls', '/in put'], user: 'workspace' });
    waits.exit.catch(() => undefined);
    assert.equal((await bench.shell(reader.name, 'echo written >late; cat late')).stdout, 'written\n');
    assert.deepEqual(await bench.driver.stop(reader.name, 30_000), { killed: false });
    await bench.started(reader);
    const seen = await bench.shell(reader.name, 'cat late "/in put/d/file"');
    assert.equal(seen.stdout, 'written\nwritten\n', seen.stderr);
    assert.equal((await info())?.warning, undefined);
  });

  it('have no daemon left when their machine was killed, nor when it was stopped', async () => {
    process.kill(bench.pidOf(writer), 'SIGKILL');
    await until('the daemon of a killed machine ends', async () => {
      const lines = await Promise.all(
        (await daemonsOf(folder)).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
      );
      return !lines.some((line) => line.includes(bench.folderOf(writer)));
    });
    assert.deepEqual(await bench.driver.stop(reader.name, 30_000), { killed: false });
    assert.deepEqual(await daemonsOf(folder), []);
    assert.equal(await readFile(join(folder, 'd/file'), 'utf8'), 'written\n');
  });

  it('are served anew at the next start, though an engine that was killed had left a daemon', async () => {
    const files = new MicrovmFiles(bench.home).of(reader.name);
    const found = await findVirtiofsd({ env: process.env, platform: process.platform });
    assert(found);
    const serving = { socket: files.shareSocket('v0'), folder, readOnly: true };
    const [binary, ...argv] = servingCommand(found, serving, true);
    const daemon = await startDetached({ binary, argv, log: join(bench.home, 'left.log') });
    await bench.restartEngine();
    await bench.driver.list();
    await daemon.end;
    assert.deepEqual(await daemonsOf(folder), []);
    await bench.started(reader);
    assert.equal((await bench.shell(reader.name, 'cat "/in put/d/file"')).stdout, 'written\n');
  });

  it('fail the start when their daemon can not serve them, and nothing runs then', async () => {
    const plan = await bench.plan({
      mounts: [{ ...shared('/data'), folder: join(folder, 'd/file') }],
    });
    await bench.driver.create(plan, never());
    const error: unknown = await bench.driver.start(plan.name).then(
      () => assert.fail('it started'),
      (reason: unknown) => reason,
    );
    assert.match(String(error), /volume shared can't be shared/);
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
    assert.deepEqual(await daemonsOf(join(folder, 'd/file')), []);
    await bench.driver.remove(plan.name);
    assert.equal(existsSync(bench.folderOf(plan)), false);
    await writeFile(join(folder, 'kept'), '');
  });
});
