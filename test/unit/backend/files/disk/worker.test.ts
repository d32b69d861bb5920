import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DiskAccess } from '../../../../../src/backend/files/disk/disk-access';
import { DiskWorker } from '../../../../../src/backend/files/disk/disk-worker';
import { makeFit, readSuperblock } from '../../../../../src/backend/ext4/fitness';
import { isLockedByKernel } from '../../../../../src/backend/files/disk/image-lock';
import { redoLogOf } from '../../../../../src/backend/ext4/redo-log';
import { failure } from '../../../../support/errors';
import { useTempFolder } from '../../../../support/temp';
import { until } from '../../../../support/wait';
import { assertClean, bytesOf, debugfs, makeImage, TestDisk } from './harness';

const over = { create: true, overwrite: true };

describe('the worker of a disk', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  it('starts when it is needed, ends when it is not, and leaves nothing beside the image', async () => {
    const disk = await TestDisk.create(folder(), { idleMs: 200 });
    await disk.files.write('/a', Buffer.from('x'), over);
    assert.ok(existsSync(`${disk.image}.lock`));
    await until('it is closed', () => !disk.access.isOpen && !existsSync(`${disk.image}.lock`));
    assert.ok(!existsSync(redoLogOf(disk.image)));
    assert.equal((await bytesOf(await disk.files.read('/a'))).toString(), 'x');
    const stop = await disk.files.watch('/', { recursive: true }, () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.ok(disk.access.isOpen, 'a watch keeps it open');
    stop();
    await until('it is closed', () => !disk.access.isOpen);
    await disk.dispose();
  });

  it('gives room of what was removed back to the disk of the host', async () => {
    const disk = await TestDisk.create(folder(), { sizeMiB: 256 });
    const allocated = () => statSync(disk.image).blocks * 512;
    const big = Buffer.alloc(20 * 1024 ** 2, 'b');
    await disk.files.write('/kept', Buffer.from('k'.repeat(200_000)), over);
    await disk.files.write('/gone', big, over);
    await disk.files.write('/again', big, over);
    await disk.access.close();
    const full = allocated();
    await disk.files.remove('/gone', { recursive: false });
    await disk.files.write('/again', Buffer.from('small'), over);
    await disk.access.close();
    assert(full - allocated() > 39 * 1024 ** 2, `${full} bytes, then ${allocated()}`);
    assertClean(disk.image);
    assert.equal((await bytesOf(await disk.files.read('/kept'))).toString(), 'k'.repeat(200_000));
    // What was freed and is used again is not to become a hole.
    await disk.files.remove('/again', { recursive: false });
    await disk.files.write('/new', big, over);
    await disk.access.close();
    assert((await bytesOf(await disk.files.read('/new'))).equals(big));
    await disk.check();
    await disk.dispose();
  });

  it('is replaced when it dies', async () => {
    const disk = await TestDisk.create(folder());
    await disk.files.write('/a', Buffer.from('x'), over);
    const channel = await disk.access.channel();
    const running = disk.files.list('/');
    channel.end();
    assert.equal((await running).total, 1);
    assert.notEqual(await disk.access.channel(), channel);
    await disk.check();
    await disk.dispose();
  });

  it('is ended when it hangs, and whoever waits is told', async () => {
    const disk = await TestDisk.create(folder());
    await disk.access.close();
    // A thread takes longer than that to begin: so much patience takes every worker for one that hangs.
    const worker = new DiskWorker('hung', { path: disk.image }, { silentMs: 1, pingMs: 1 });
    const error = await failure(worker.start(), 'runtime_unavailable');
    assert.match(error.message, /hung, and was ended \(hung\)/);
    assert.equal((await disk.files.stat('/')).type, 'directory');
    await disk.dispose();
  });

  it('lets go of the image once nothing is being written', async () => {
    const disk = await TestDisk.create(folder());
    let go: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => (go = resolve));
    async function* slow(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(1_000_000, 'a');
      await wait;
      yield Buffer.alloc(1_000_000, 'b');
    }
    const writing = disk.files.write('/slow', Readable.from(slow()), over);
    const channel = await disk.access.channel();
    await channel.request('stat', { path: '/' });
    await until('the file is open', async () => !(await disk.access.evict(20)));
    const evicted = disk.access.evict(20_000);
    go();
    assert.equal((await writing).size, 2_000_000);
    assert.equal(await evicted, true);
    assert.ok(!disk.access.isOpen);
    assert.equal((await disk.files.stat('/slow')).size, 2_000_000);
    const stage = await disk.files.stage();
    assert.equal(await disk.access.evict(50), false, 'an upload is under way');
    await disk.files.unstage(stage);
    assert.equal(await disk.access.evict(50), true);
    await disk.dispose();
  });

  it('opens an image for one engine at a time', async () => {
    const disk = await TestDisk.create(folder());
    await disk.files.stat('/');
    const other = TestDisk.on(disk.image);
    await failure(other.files.stat('/'), 'in_use');
    await disk.access.close();
    assert.equal((await other.files.stat('/')).type, 'directory');
    await other.dispose();
    await disk.dispose();
  });

  it('sees the lock of a machine', async () => {
    const image = makeImage(join(folder(), 'locked.ext4'), 8);
    assert.equal(await isLockedByKernel(image), false);
    const source = `import fcntl,sys;f=open(${JSON.stringify(image)},'r+');fcntl.lockf(f,fcntl.LOCK_EX);print('x',flush=True);sys.stdin.read()`;
    const holder = spawn('python3', ['-c', source], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    assert.equal(await isLockedByKernel(image), true);
    holder.stdin.end();
    await once(holder, 'close');
    assert.equal(await isLockedByKernel(image), false);
  });

  it('gets what a preparation fails with', async () => {
    const access = new DiskAccess({
      ...{ volume: 'x', path: join(folder(), 'none') },
      prepare: () => makeFit('x', join(folder(), 'none')).then(() => () => undefined),
    });
    await failure(access.channel(), 'not_found');
    await access.close();
  });
});

describe('a disk whose guest was killed', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  /** A journal with one transaction that is not in the file system yet: a new text of a file. */
  async function dirty(): Promise<string> {
    const disk = await TestDisk.create(folder(), { mke2fs: ['-b', '4096'] });
    await disk.files.write('/f', Buffer.from('before'.padEnd(4096)), over);
    await disk.access.close();
    const block = debugfs(disk.image, 'blocks /f').trim();
    const fresh = join(folder(), 'block');
    writeFileSync(fresh, 'after'.padEnd(4096));
    const commands = `jo\njw -b ${block} ${fresh}\njc\n`;
    execFileSync('debugfs', ['-w', '-f', '-', disk.image], {
      input: commands,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    return disk.image;
  }

  it('has its journal replayed before anything is read or written', async () => {
    const image = await dirty();
    assert.equal((await readSuperblock('v', image)).needsRecovery, true);
    const disk = TestDisk.on(image);
    assert.equal((await bytesOf(await disk.files.read('/f'))).toString().trim(), 'after');
    await disk.files.write('/g', Buffer.from('new'), over);
    await disk.check();
    assert.equal(debugfs(image, 'cat /g'), 'new');
    await disk.dispose();
  });

  it('is not touched where there is no e2fsck, and it is said what to do', async () => {
    const image = await dirty();
    const before = readFileSync(image);
    const source = `
      const programs = require(${JSON.stringify(require.resolve('../../../../../src/backend/ext4/e2fsprogs'))});
      programs.findE2fs('e2fsck', '').then((found) => process.stdout.write(String(found !== undefined)));`;
    const where = execFileSync(process.execPath, ['-e', source], { encoding: 'utf8' });
    assert.equal(where, 'true', 'found outside of PATH too');
    const without = { findE2fs: () => Promise.resolve(undefined) };
    const error = await failure(makeFit('v', image, without.findE2fs), 'illegal_state');
    assert.match(error.message, /journal must be replayed/);
    assert.match(error.hint ?? '', /Start the workspace .* or install e2fsprogs|Or install e2fsprogs/i);
    assert.ok(readFileSync(image).equals(before));
    await makeFit('v', image);
    assertCleanBesideLostFound(image);
  });
});

/** The disks of these tests have no lost+found; all else must be right. */
function assertCleanBesideLostFound(image: string): void {
  try {
    assertClean(image);
  } catch (error) {
    assert.match(String(error), /lost\+found not found/);
  }
}
