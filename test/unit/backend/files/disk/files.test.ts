import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { useTempFolder } from '../../../../support/temp';
import { hasCode } from '../agent/harness';
import { bytesOf, TestDisk } from './harness';

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
