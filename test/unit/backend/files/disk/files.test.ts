import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DiskError } from '../../../../../src/backend/ext4/disk-error';
import { Ext4, rootInode } from '../../../../../src/backend/ext4/file-system';
import { DiskAgent } from '../../../../../src/backend/files/disk/agent/agent';
import { useTempFolder } from '../../../../support/temp';
import { hasCode } from '../agent/harness';
import { assertClean, bytesOf, makeImage, TestDisk } from './harness';

const over = { create: true, overwrite: true };

describe('files of a stopped disk', function () {
  this.timeout(60_000);
  let disk: TestDisk;
  // Before the folder goes.
  afterEach(async () => {
    await disk.check();
    await disk.dispose();
  });
  const folder = useTempFolder();
  const put = (path: string, text: string | Buffer) => disk.files.write(path, Buffer.from(text), over);
  const names = async (path: string) => (await disk.files.list(path)).entries.map(({ name }) => name);

  beforeEach(async () => {
    disk = await TestDisk.create(folder());
  });

  it('are not joined by the folder that e2fsck wants, while nothing is in it', async () => {
    await disk.files.mkdir('/lost+found');
    await disk.files.mkdir('/sub');
    await disk.files.mkdir('/sub/lost+found');
    assert.deepEqual(await names('/'), ['sub']);
    assert.equal((await disk.files.list('/')).total, 1);
    assert.deepEqual(await names('/sub'), ['lost+found']);
    const tar = execFileSync('tar', ['-t'], { input: await bytesOf(await disk.files.getTar('/')) });
    assert.deepEqual(tar.toString().trim().split('\n').sort(), ['./', './sub/', './sub/lost+found/']);
    await put('/lost+found/#12', 'found');
    assert.deepEqual(await names('/'), ['lost+found', 'sub']);
    await disk.files.remove('/lost+found', { recursive: true });
  });

  it('say when the disk is full, and leave nothing of what did not fit', async () => {
    await put('/fits', Buffer.alloc(1_000_000));
    const large = (): Readable =>
      Readable.from(
        (function* () {
          for (let n = 0; n < 80; n++) {
            yield Buffer.alloc(1_000_000);
          }
        })(),
      );
    await assert.rejects(disk.files.write('/large', large(), over), hasCode('no_space'));
    await assert.rejects(disk.files.write('/fits', large(), over), hasCode('no_space'));
    assert.deepEqual(await names('/'), ['fits']);
    assert.equal((await disk.files.stat('/fits')).size, 1_000_000);
    await put('/again', Buffer.alloc(20_000_000));
  });
});

describe('a copy on a disk that the disk of this machine has no room for', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  it('leaves nothing, neither of what was written before nor of the stage', async () => {
    const image = makeImage(join(folder(), 'test.ext4'));
    const fs = Ext4.open(image);
    const owner = { mode: 0o755, uid: 0, gid: 0 };
    fs.transact(() => {
      const from = fs.makeDirectory(rootInode, 'from', owner);
      for (const name of ['a', 'b', 'c']) {
        const content = fs.newContent();
        content.append(Buffer.alloc(5000, name));
        content.finish();
        fs.makeFile(from, name, content, owner);
      }
    });
    const before = [...fs.names(rootInode).keys()].sort();
    const { device } = fs;
    const write = device.writeContent.bind(device);
    let [writes, losses] = [0, 0];
    Object.defineProperty(device, 'losses', { get: () => losses });
    device.writeContent = (...input) => {
      if (++writes === 4) {
        losses++;
        throw new DiskError('no_space');
      }
      write(...input);
    };
    const answer = await new Promise<Readonly<Record<string, unknown>>>((resolve) => {
      const agent = new DiskAgent(fs, (head) => ('progress' in head ? undefined : resolve(head)));
      agent.receive({ head: { id: 1, op: 'copy', from: '/from', to: '/to' }, payload: Buffer.alloc(0) });
    });
    assert.equal((answer.error as { code?: string }).code, 'no_space');
    assert.deepEqual([...fs.names(rootInode).keys()].sort(), before);
    fs.close();
    assertClean(image);
  });
});
