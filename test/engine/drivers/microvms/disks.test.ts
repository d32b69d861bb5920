/** Disks with those who have them otherwise: the kernel, which mounts what we wrote, and QEMU, which locks it. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Disks } from '../../../../src/backend/drivers/microvms/disks/disk-store';
import { failure } from '../../../support/errors';
import { until } from '../../../support/wait';
import { agentDir } from '../../../unit/backend/files/agent/harness';
import { assertClean, bytesOf, tarOf, type Member } from '../../../unit/backend/files/disk/harness';

const over = { create: true, overwrite: true };
const mebibyte = 1024 * 1024;
/** Budgets of the design are for a quiet machine; this one is shared. */
const allowance = 10;

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1]!;
}

async function timed(count: number, run: (index: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await run(index);
    times.push(performance.now() - start);
  }
  return median(times);
}

describe('disks of microVMs', function () {
  this.timeout(300_000);
  let folder: string;
  let disks: Disks;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-disks-'));
    disks = new Disks({
      ...{ home: folder, agentDirectory: agentDir },
      holders: {
        isGone: () => Promise.resolve(true),
        stateOf: () => Promise.resolve('unknown'),
        liveFiles: () => Promise.reject(new Error('nobody has it')),
        copyHeld: () => Promise.reject(new Error('nobody has it')),
      },
    });
  });
  afterEach(async () => {
    await disks.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Whether the kernel of this machine lets us mount images; where it doesn't, guests are the only kernels to ask. */
  function mounted(image: string, use: (root: string) => void): boolean {
    const root = join(folder, 'mounted');
    mkdirSync(root, { recursive: true });
    if (spawnSync('mount', ['-o', 'loop', image, root]).status !== 0) {
      return false;
    }
    try {
      use(root);
    } finally {
      execFileSync('umount', [root]);
    }
    return true;
  }

  it('are read and written by the kernel in turn with us', async function () {
    await disks.create({ name: 'data', sizeMiB: 256 });
    const image = join(folder, 'volumes', 'data.ext4');
    const files = await disks.files('data');
    const stage = await files.stage();
    const many = Array.from({ length: 3000 }, (_, n): Member => [
      { name: `many/file-${n}`, uid: 1000 },
      `${n}`,
    ]);
    const mtime = new Date(1_500_000_000_000);
    await files.putTar(
      stage,
      tarOf([
        ...many,
        [{ name: 'big', mode: 0o640, uid: 1000, gid: 7, mtime }, Buffer.alloc(20_000_000, 'b')],
        [{ name: 'hard', type: 'link', linkname: 'big' }],
        [{ name: 'link', type: 'symlink', linkname: 'many/file-7' }],
        [{ name: 'ünï\n', mode: 0o600 }, 'odd'],
      ]),
    );
    await files.merge(stage, '/', 'overwrite');
    await disks.close();
    const isMounted = mounted(image, (root) => {
      assert.equal(readdirSync(join(root, 'many')).length, 3000);
      assert.equal(readFileSync(join(root, 'many/file-2999'), 'utf8'), '2999');
      assert.equal(readFileSync(join(root, 'link'), 'utf8'), '7');
      const { size, uid, gid, mode, nlink, mtimeMs } = statSync(join(root, 'hard'));
      assert.deepEqual(
        [size, uid, gid, mode & 0o777, nlink, mtimeMs],
        [20_000_000, 1000, 7, 0o640, 2, +mtime],
      );
      for (let n = 3000; n < 5000; n++) {
        writeFileSync(join(root, `many/file-${n}`), `${n}`);
      }
      for (let n = 0; n < 2500; n++) {
        rmSync(join(root, `many/file-${n}`));
      }
    });
    if (isMounted) {
      assert.equal((await files.list('/many')).total, 2500);
      assert.equal((await bytesOf(await files.read('/many/file-4999'))).toString(), '4999');
    }
    for (let n = 0; n < 50; n++) {
      await files.write(`/many/again-${n}`, Buffer.from(`${n}`), over);
    }
    await files.remove('/many/file-2600', { recursive: false });
    await disks.close();
    assertClean(image);
    mounted(image, (root) => {
      assert.equal(readFileSync(join(root, 'many/again-49'), 'utf8'), '49');
      assert.equal(readFileSync(join(root, 'ünï\n'), 'utf8'), 'odd');
    });
    assertClean(image);
  });

  it('are not opened while a QEMU has them, whatever our records say', async () => {
    await disks.create({ name: 'data', sizeMiB: 16 });
    const image = join(folder, 'volumes', 'data.ext4');
    const drive = `file=${image},format=raw,if=none,id=d`;
    const machine = ['-M', 'q35', '-accel', 'tcg', '-m', '64', '-S', '-nodefaults', '-display', 'none'];
    const qemu = spawn(
      'qemu-system-x86_64',
      [...machine, '-drive', drive, '-device', 'virtio-blk-pci,drive=d'],
      {
        stdio: 'ignore',
      },
    );
    try {
      const files = await disks.files('data');
      await until(
        'the disk is locked',
        async () => {
          const { code } = await failure(
            files.stat('/').then(() => disks.close().then(() => Promise.reject(new Error('not yet')))),
          ).catch(() => ({ code: undefined }));
          return code === 'in_use';
        },
        30_000,
        50,
      );
      await failure(
        disks.attach('data', { workspace: 'x', runtime: 'workspace-x', readOnly: false }),
        'in_use',
      );
    } finally {
      qemu.kill();
      await once(qemu, 'exit');
    }
    assert.equal((await (await disks.files('data')).stat('/')).type, 'directory');
  });

  it('are quick, and stream any size in little memory', async () => {
    await disks.create({ name: 'data', sizeMiB: 3072 });
    const files = await disks.files('data');
    const stage = await files.stage();
    const content = Buffer.alloc(4096, 'x');
    const start = performance.now();
    await files.putTar(
      stage,
      tarOf(Array.from({ length: 10_000 }, (_, n): Member => [{ name: `d/${n}` }, content])),
    );
    assert.equal((await files.merge(stage, '/', 'overwrite')).files, 10_000);
    assert.ok(
      performance.now() - start < 5000 * allowance,
      `10,000 files took ${performance.now() - start} ms`,
    );
    const read = async (index: number) => bytesOf(await files.read(`/d/${index}`));
    for (const [what, budgetMs, run] of [
      ['stat', 1, (index: number) => files.stat(`/d/${index}`)],
      ['list 100', 2, () => files.list('/d', { limit: 100 })],
      ['read 4 KiB', 2, read],
      ['list 10,000', 150, () => files.list('/d')],
    ] as const) {
      const took = await timed(what === 'list 10,000' ? 5 : 50, run);
      assert.ok(took < budgetMs * allowance, `${what} took ${took} ms`);
    }
    const piece = Buffer.alloc(mebibyte, 'p');
    const before = process.memoryUsage().rss;
    let most = 0;
    const look = (): void => void (most = Math.max(most, process.memoryUsage().rss));
    function* pieces(): Generator<Buffer> {
      for (let n = 0; n < 512; n++) {
        look();
        yield piece;
      }
    }
    await files.write('/big', Readable.from(pieces()), over);
    let bytes = 0;
    for await (const part of await files.read('/big')) {
      bytes += (part as Buffer).length;
      look();
    }
    assert.equal(bytes, 512 * mebibyte);
    assert.ok(most - before < 200 * mebibyte, `memory grew by ${(most - before) / mebibyte} MiB`);
    await disks.close();
    assertClean(join(folder, 'volumes', 'data.ext4'));
  });
});
