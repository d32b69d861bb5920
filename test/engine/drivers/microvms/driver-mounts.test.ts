import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { RuntimePlan } from '../../../../src/backend/drivers/driver';
import { isLockedByKernel } from '../../../../src/backend/files/disk/image-lock';
import { failure } from '../../../support/errors';
import { runProgram } from '../../../support/programs';
import { until } from '../../../support/wait';
import { Bench, freePort, never } from './driver-bench';

describe('the disks and the network of a microVM', function () {
  this.timeout(300_000);
  let bench: Bench;
  let plan: RuntimePlan;
  let image: string;
  let bundle: string;
  let server: Server;
  let port: number;
  before(async () => {
    bench = await Bench.open();
    image = join(bench.home, 'own disk.img');
    await runProgram('mke2fs', ['-q', '-t', 'ext4', '-m', '0', image, '64M']);
    for (const name of ['data', 'deep', 'inner']) {
      await bench.driver.volumes.create({ name, sizeMiB: 64 });
    }
    server = createServer((socket) => socket.end('reached\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = await freePort();
    bundle = join(bench.home, 'input.tar');
    await pack('first');
    plan = await bench.plan({
      ports: [{ host: port, guest: 8000 }],
      mounts: [
        { kind: 'volume', source: 'deep', target: '/mnt/own disk/deep', readOnly: false },
        { kind: 'volume', source: 'inner', target: '/home/workspace/a/b/inner', readOnly: false },
        { kind: 'volume', source: 'data', target: '/data', readOnly: true },
        { kind: 'disk', source: image, target: '/mnt/own disk', readOnly: false },
        { kind: 'archive', source: bundle, target: '/input', readOnly: true },
        { kind: 'archive', source: bundle, target: '/scratch', readOnly: false },
      ],
    });
    await bench.driver.create(plan, never());
    await startWithBundles();
  });
  after(async () => {
    server.close();
    await bench.dispose();
  });

  const pack = async (content: string): Promise<void> => {
    await writeFile(join(bench.home, 'packed'), content);
    await runProgram('tar', ['-C', bench.home, '-cf', bundle, 'packed']);
  };
  const startWithBundles = async (): Promise<void> => {
    await bench.driver.refreshBundles(plan, never());
    await bench.started(plan);
  };

  const reach = (name: string) => {
    const { port } = server.address() as AddressInfo;
    return bench.exec(name, {
      argv: ['timeout', '10', 'bash', '-c', `exec 3<>/dev/tcp/10.0.2.2/${port} && cat <&3`],
    });
  };

  it('mounts volumes and images where they belong', async () => {
    const ran = await bench.shell(
      plan.name,
      'findmnt -nro TARGET,FSTYPE /data; findmnt -nro TARGET "/mnt/own disk"',
      'root',
    );
    assert.equal(ran.stdout, '/data ext4\n/mnt/own\\x20disk\n');
    assert.deepEqual(
      (await bench.driver.inspect(plan.name))?.volumes.map(({ volume, readOnly }) => [volume, readOnly]),
      [
        [plan.homeVolume, false],
        ['deep', false],
        ['inner', false],
        ['data', true],
      ],
    );
  });

  it('mounts volumes inside of others, the folders above them the user’s, those that were there as they were', async () => {
    const script =
      'cd ~; stat -c "%n %U" a a/b a/b/inner; echo inner >a/b/inner/file; mkdir a/more; ' +
      'echo deep | tee "/mnt/own disk/deep/file"; stat -c %U "/mnt/own disk"';
    const ran = await bench.shell(plan.name, script);
    assert.equal(ran.stdout, 'a workspace\na/b workspace\na/b/inner workspace\ndeep\nroot\n', ran.stderr);
    const read = async (volume: string) =>
      text(await (await bench.driver.volumes.files(volume)).read('/file'));
    assert.deepEqual([await read('inner'), await read('deep')], ['inner\n', 'deep\n']);
    await bench.driver.stop(plan.name, 30_000);
    await startWithBundles();
    const again = await bench.shell(plan.name, 'cat ~/a/b/inner/file "/mnt/own disk/deep/file"; ls ~/a');
    assert.equal(again.stdout, 'inner\ndeep\nb\nmore\n', again.stderr);
  });

  it('protects what is to be read only at the device: not even root writes to it', async () => {
    const script =
      'touch /data/x; mount -o remount,rw /data && touch /data/x; dd if=/dev/zero of="$(findmnt -nro SOURCE /data)" bs=512 count=1 conv=fsync';
    const before = await readFile(join(bench.home, 'volumes', 'data.ext4'));
    const ran = await bench.shell(plan.name, `${script}; echo "ended $?"`, 'root');
    assert.match(ran.stdout, /ended [^0]/);
    assert((await readFile(join(bench.home, 'volumes', 'data.ext4'))).equals(before));
  });

  it('has bundles as they were packed, those that may not be written to protected at the device', async () => {
    const script =
      'cat /input/packed; echo more >>/scratch/packed; mount -o remount,rw /input; touch /input/x; ls -A /input';
    const ran = await bench.shell(plan.name, script, 'root');
    assert.equal(ran.stdout, 'firstlost+found\npacked\n');
    assert.equal((await bench.shell(plan.name, 'cat /scratch/packed')).stdout, 'firstmore\n');
  });

  it('has its disks alone: nobody else is let in while it runs', async () => {
    const other = await bench.plan({
      mounts: [{ kind: 'volume', source: 'data', target: '/d', readOnly: false }],
    });
    await assert.rejects(bench.driver.create(other, never()), { code: 'in_use' });
    assert.equal(existsSync(bench.folderOf(other)), false);
    const third = await bench.plan({
      mounts: [{ kind: 'disk', source: image, target: '/d', readOnly: true }],
    });
    await assert.rejects(bench.driver.create(third, never()), { code: 'in_use', field: 'mounts' });
    await assert.rejects(bench.driver.volumes.remove('data'), { code: 'in_use' });
    const [holder] = (await bench.driver.volumes.inspect('data'))?.holders ?? [];
    assert.deepEqual([holder?.workspace, holder?.state, holder?.readOnly], [plan.workspace, 'running', true]);
  });

  it('is reached by its ports, on loopback only, and by those that come and go while it runs', async () => {
    const serve = 'cd /tmp && echo served >page && exec /.berth/bin/python3 -m http.server 8000';
    const serving = await bench.driver.exec(plan.name, { argv: ['sh', '-c', serve], user: 'workspace' });
    const get = async (from: number, timeoutMs = 30_000): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${from}/page`, {
        signal: AbortSignal.timeout(timeoutMs),
      });
      return answer.text();
    };
    await until(
      'the guest serves',
      () =>
        get(port, 3_000).then(
          () => true,
          () => false,
        ),
      60_000,
      100,
    );
    assert.equal(await get(port), 'served\n');
    // Rows of proc_net_tcp(5): local address and port, then 0A for what listens.
    const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
    const listening = [...(await readFile('/proc/net/tcp', 'utf8')).matchAll(/: (\w+):(\w+) \S+ 0A /g)];
    assert.deepEqual(
      listening.filter(([, , each]) => each === hexadecimal).map(([, address]) => address),
      ['0100007F'],
    );
    const other = await freePort();
    assert.deepEqual(await bench.driver.setPorts(plan.name, [{ host: other, guest: 8000 }]), {
      needsRebuild: [],
    });
    assert.equal(await get(other), 'served\n');
    await assert.rejects(get(port));
    // As before, when one can't be had.
    const taken = [
      { host: port, guest: 8000 },
      { host: (server.address() as AddressInfo).port, guest: 8000 },
    ];
    await assert.rejects(bench.driver.setPorts(plan.name, taken), { code: 'in_use', field: 'ports' });
    assert.equal(await get(other), 'served\n');
    await assert.rejects(get(port));
    await serving.kill();
  });

  it('keeps what was written to an image of the user, which its tools find whole', async () => {
    await bench.shell(plan.name, 'echo mine >"/mnt/own disk/file" && chmod 640 "/mnt/own disk/file"', 'root');
    assert.deepEqual(await bench.driver.stop(plan.name, 30_000), { killed: false });
    for (const path of [image, join(bench.home, 'volumes', `${plan.homeVolume}.ext4`)]) {
      const checked = await runProgram('e2fsck', ['-fn', path]);
      assert.equal(checked.code, 0, checked.stdout);
    }
    const read = await runProgram('debugfs', ['-R', 'cat /file', image]);
    assert.equal(read.stdout, 'mine\n');
  });

  it('says which disk image another program has, and starts nothing then', async () => {
    const machine = ['-M', 'q35', '-accel', 'tcg', '-m', '64', '-S', '-nodefaults', '-display', 'none'];
    const drive = `file=${image},format=raw,if=none,id=d`;
    const qemu = spawn(
      'qemu-system-x86_64',
      [...machine, '-drive', drive, '-device', 'virtio-blk-pci,drive=d'],
      {
        stdio: 'ignore',
      },
    );
    try {
      await until('the other QEMU has it', () => isLockedByKernel(image), 30_000, 50);
      await bench.driver.refreshBundles(plan, never());
      const error = await failure(bench.driver.start(plan.name), 'in_use');
      assert(error.message.includes(image), error.message);
      assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
    } finally {
      qemu.kill();
      await once(qemu, 'exit');
    }
  });

  it('lends its disks to another one once it is stopped, and takes them back', async () => {
    const published = await freePort();
    const other = await bench.plan({
      ...{ ports: [{ host: published, guest: 22 }] },
      ...{ network: 'off', mounts: [{ kind: 'volume', source: 'data', target: '/d', readOnly: false }] },
    });
    await bench.driver.create(other, never());
    await bench.started(other);
    await bench.shell(other.name, 'echo lent >/d/file', 'root');
    await assert.rejects(bench.driver.start(plan.name), { code: 'in_use' });
    assert.equal((await bench.driver.inspect(plan.name))?.state, 'stopped');
    // Off means off, and SSH comes in all the same.
    assert.notEqual((await reach(other.name)).code, 0);
    assert.equal((await bench.ssh(other, 'echo in')).stdout, 'in\n');
    assert.equal((await bench.ssh({ ...other, sshPort: published }, 'echo too')).stdout, 'too\n');
    const asked =
      'timeout 5 bash -c "echo >/dev/tcp/1.1.1.1/53" || echo no; timeout 5 getent hosts example.com || echo none';
    assert.equal((await bench.shell(other.name, asked)).stdout, 'no\nnone\n');
    await bench.driver.remove(other.name);
    await pack('second');
    await startWithBundles();
    assert.equal((await bench.shell(plan.name, 'cat /data/file')).stdout, 'lent\n');
    assert.equal((await bench.shell(plan.name, 'cat /input/packed /scratch/packed')).stdout, 'secondsecond');
    await bench.driver.remove(plan.name);
    assert.equal((await runProgram('debugfs', ['-R', 'cat /file', image])).stdout, 'mine\n');
  });
});
