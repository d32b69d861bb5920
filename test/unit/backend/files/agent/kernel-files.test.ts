/** What is special in the files of a whole machine: those of the kernel, and files that something is mounted at. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransferResult } from '../../../../../src/backend/services/transfers/transfers';
import { Transfers } from '../../../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../../../src/backend/store/download-drafts';
import { mount, mountSmallDisk, unmount } from '../../../../support/files/small-disk';
import { skipWithout } from '../../../../support/skip';
import { TestContext } from '../../../../support/test-context';
import { textOf, TestVolume } from './harness';

describe('files of a whole machine (mounts: takes root)', function () {
  this.timeout(20_000);
  let one: TestVolume;
  let two: TestVolume;
  let local: string;
  const at = (...path: string[]): string => join(one.root, ...path);

  function copy(
    from: { local: string[] } | { volume: string; paths: string[] },
    to: object,
  ): Promise<TransferResult> {
    const volumes: Record<string, TestVolume> = { one, two };
    const transfers = new Transfers({
      openFiles: (name) => Promise.resolve(volumes[name]!.files),
      drafts: new DownloadDrafts(join(local, 'records')),
    });
    const request = { from, to, conflict: 'overwrite' } as Parameters<Transfers['run']>[0];
    return transfers.run(request, new TestContext());
  }

  before(async function () {
    one = await TestVolume.create('one');
    two = await TestVolume.create('two');
    local = mkdtempSync(join(tmpdir(), 'berth-kernel-'));
    mkdirSync(join(local, 'records'));
    if (!mountSmallDisk(at('tmp'), '8m')) {
      skipWithout(this, 'a small disk is mounted by root alone');
    }
    for (const [name, type] of [
      ['proc', 'proc'],
      ['sys', 'sysfs'],
    ] as const) {
      mkdirSync(at(name));
      assert(mount('-t', type, '-o', 'ro', 'berth-test', at(name)));
    }
    writeFileSync(at('hosts'), 'old');
    mkdirSync(at('d'));
    writeFileSync(at('d', 'hosts'), 'old too');
    writeFileSync(join(local, 'mounted'), 'as Docker does it');
    for (const path of ['hosts', 'd/hosts']) {
      assert(mount('--bind', join(local, 'mounted'), at(path)));
    }
  });
  after(async () => {
    ['tmp', 'proc', 'sys', 'hosts', 'd/hosts'].forEach((path) => unmount(at(path)));
    await one.dispose();
    await two.dispose();
    rmSync(local, { recursive: true, force: true });
  });

  /** They say that they have 0 bytes, or 4096. */
  const kernelFiles = ['/proc/sys/kernel/ostype', '/proc/1/status', '/sys/kernel/uevent_seqnum'];

  it('has the content of files of the kernel, which do not say how much it is', async () => {
    for (const path of kernelFiles) {
      const text = readFileSync(path, 'utf8');
      assert.ok(text.length > 0);
      assert.equal((await textOf(await one.files.read(path))).length, text.length, path);
      assert.equal(await textOf(await one.files.read(path, { offset: 1, length: 2 })), text.slice(1, 3));
      const name = path.split('/').at(-1)!;
      for (const [to, copied] of [
        [{ local }, join(local, name)],
        [{ volume: 'two', path: '/' }, join(two.root, name)],
        [{ volume: 'one', path: '/d' }, at('d', name)],
      ] as const) {
        const { failed } = await copy({ volume: 'one', paths: [path] }, to);
        assert.deepEqual(failed, [], path);
        assert.equal(readFileSync(copied, 'utf8').length, text.length, copied);
      }
    }
    const symbols = await textOf(await one.files.read('/proc/kallsyms'));
    assert.equal(symbols.length, readFileSync('/proc/kallsyms').length);
  });

  it('names those that have no end', async () => {
    const { failed } = await copy({ volume: 'one', paths: ['/proc/1/pagemap'] }, { local });
    assert.match(failed[0]?.reason ?? '', /its size is not known|EIO|EPERM|EACCES/);
  });

  it('writes into a file that something is mounted at, as cp does, however it comes', async () => {
    const mounted = (): string => readFileSync(join(local, 'mounted'), 'utf8');
    writeFileSync(join(local, 'hosts'), 'uploaded');
    const { failed, files } = await copy({ local: [join(local, 'hosts')] }, { volume: 'one', path: '/' });
    assert.deepEqual(
      [failed, files, mounted(), readFileSync(at('hosts'), 'utf8')],
      [[], 1, 'uploaded', 'uploaded'],
    );
    writeFileSync(at('tmp', 'hosts'), 'copied inside');
    await copy({ volume: 'one', paths: ['/tmp/hosts'] }, { volume: 'one', path: '/d' });
    assert.equal(mounted(), 'copied inside');
    await one.files.write('/hosts', Buffer.from('written'), { create: true, overwrite: true });
    assert.equal(mounted(), 'written');
    const { entries } = await one.files.list('/');
    assert.deepEqual(
      entries.filter(({ name }) => name.startsWith('.berth')),
      [],
    );
  });
});
