/** One part that can't be copied stops nothing else, and is named. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransferCreate } from '../../../../../src/api/files/schemas';
import type { TransferResult } from '../../../../../src/api/operations/schemas';
import { volumeUsage, type VolumeFiles } from '../../../../../src/backend/files/volume-files';
import { Transfers } from '../../../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../../../src/backend/store/download-drafts';
import { TestContext } from '../../../../support/test-context';
import { TestVolume } from '../../files/agent/harness';
import { bytesOf, membersOf, TestDisk } from '../../files/disk/harness';
import { asOrdinaryUser, isRoot, ordinaryUser } from '../../../../support/skip';
import { removeTree } from '../../../../support/temp';

const group = process.getgid?.();
const stays = 'Not all of "data" was copied: all originals of it stay, also of what was.';
const neither = 'it is neither a file, a folder nor a link';

function debugfsWrite(image: string, command: string): void {
  execFileSync('debugfs', ['-w', '-R', command, image], { stdio: 'ignore' });
}

describe('what can not be copied', function () {
  this.timeout(60_000);
  let one: TestVolume;
  let two: TestVolume;
  let local: string;
  const at = (...path: string[]): string => join(one.root, ...path);

  async function run(
    request: TransferCreate,
    volumes: Record<string, VolumeFiles> = { one: one.files, two: two.files },
  ): Promise<TransferResult & { warnings: string[] }> {
    const transfers = new Transfers({
      openFiles: (volume) => Promise.resolve(volumes[volume]!),
      drafts: new DownloadDrafts(join(local, 'records')),
    });
    const warnings: string[] = [];
    return { ...(await transfers.run(request, new TestContext(warnings))), warnings };
  }

  async function prepare(options: { uid?: number | undefined; openFiles?: string } = {}): Promise<void> {
    one = await TestVolume.create('one', options);
    two = await TestVolume.create('two', options);
    mkdirSync(at('data', 'secret'), { recursive: true });
    writeFileSync(at('data', 'a'), 'a');
    writeFileSync(at('data', 'secret', 'b'), 'b');
    if (options.uid !== undefined && isRoot) {
      for (const path of ['data', 'data/secret', 'data/a', 'data/secret/b']) {
        chownSync(at(path), options.uid, group ?? 0);
      }
    }
  }

  beforeEach(() => {
    local = mkdtempSync(join(tmpdir(), 'berth-left-out-'));
    mkdirSync(join(local, 'records'));
  });
  afterEach(async () => {
    for (const volume of [one, two]) {
      assert.deepEqual(
        readdirSync(volume.root).filter((name) => name.startsWith('.berth-')),
        [],
      );
      await volume.dispose();
    }
    removeTree(local);
  });

  describe('as nobody may read it', () => {
    const denied = [{ path: '/data/secret', reason: 'EACCES: Permission denied' }];
    const request = (more: Partial<TransferCreate>): TransferCreate => ({
      from: { volume: 'one', paths: ['/data'] },
      to: { local },
      ...more,
    });

    beforeEach(async () => {
      await prepare({ uid: ordinaryUser });
      chmodSync(at('data', 'secret'), 0);
    });

    it('is named when the rest is counted, and listed', async () => {
      const { unread, ...rest } = await one.files.usage('/');
      assert.deepEqual(unread, { count: 1, first: '/data/secret', reason: 'EACCES: Permission denied' });
      assert.deepEqual([rest.bytes, rest.files, rest.directories], [1, 1, 3]);
      assert.equal(volumeUsage({ unread, ...rest }).usedIsAtLeast, true);
      assert.equal(volumeUsage(rest).usedIsAtLeast, undefined);
      assert.equal((await two.files.usage('/')).unread, undefined);
      const { entries } = await one.files.list('/data');
      assert.deepEqual(
        entries.map(({ name }) => name),
        ['a', 'secret'],
      );
    });

    it('stays behind in a download, as an empty folder, and keeps the original of a move', async () => {
      const result = await run(request({ move: true }));
      assert.deepEqual([result.failed, result.warnings, result.files], [denied, [stays], 1]);
      assert.equal(readFileSync(join(local, 'data', 'a'), 'utf8'), 'a');
      assert.equal(statSync(join(local, 'data', 'secret')).mode & 0o777, 0);
      assert.ok(existsSync(at('data', 'a')));
    });

    for (const [what, to] of [
      ['to another volume', { volume: 'two', path: '/' }],
      ['inside a volume', { volume: 'one', path: '/new' }],
    ] as const) {
      it(`stays behind in a copy ${what}, which may be there already`, async () => {
        const root = to.volume === 'two' ? two.root : one.root;
        await one.files.mkdir('/new');
        for (const conflict of ['fail', 'fail', 'overwrite'] as const) {
          if (conflict === 'fail') {
            rmSync(join(root, to.path, 'data', 'a'), { force: true });
          }
          const { failed, warnings, files } = await run(request({ to, conflict }));
          assert.deepEqual([failed, warnings, files], [denied, [], 1]);
          assert.equal(readFileSync(join(root, to.path, 'data', 'a'), 'utf8'), 'a');
          assert.equal(statSync(join(root, to.path, 'data', 'secret')).mode & 0o777, 0);
        }
      });
    }

    it('is no matter for files and folders that may be read, but not changed', async () => {
      chmodSync(at('data', 'secret'), 0o755);
      chmodSync(at('data'), 0o555);
      if (isRoot) {
        chownSync(at('data', 'a'), ordinaryUser, 12345); // a group that this user is not in
      }
      for (const to of [
        { volume: 'two', path: '/data' },
        { volume: 'one', path: '/data2' },
      ] as const) {
        const { failed, warnings, files } = await run(request({ to, exact: true }));
        assert.deepEqual([failed, warnings, files], [[], [], 2]);
      }
      assert.equal(statSync(join(two.root, 'data')).mode & 0o777, 0o555);
      assert.equal(statSync(at('data2')).mode & 0o777, 0o555);
      chownSync(local, ordinaryUser, -1);
      chownSync(join(local, 'records'), ordinaryUser, -1);
      await asOrdinaryUser(async () => {
        const { failed, warnings, files } = await run(request({}));
        assert.deepEqual([failed, warnings, files], [[], [], 2]);
        const again = await run(request({ conflict: 'overwrite' }));
        const denied = [{ path: join(local, 'data', 'a'), reason: 'nothing may be put there' }];
        assert.deepEqual([again.failed, again.warnings], [denied, []]);
      });
      assert.equal(statSync(join(local, 'data')).mode & 0o777, 0o555);
    });
  });

  describe('as it is a socket', () => {
    const sockets: Server[] = [];
    const overwrite = { conflict: 'overwrite' } as const;
    const listen = async (path: string): Promise<void> => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(path, resolve));
      sockets.push(server);
    };

    beforeEach(async () => {
      await prepare();
      await listen(at('data', 'sock'));
    });
    afterEach(() => {
      sockets.splice(0).forEach((server) => server.close());
    });

    it('is named by every way out of a volume, and keeps the original of a move', async () => {
      const left = [{ path: '/data/sock', reason: neither }];
      await one.files.mkdir('/new');
      const from = { volume: 'one', paths: ['/data'] };
      for (const to of [{ local }, { volume: 'two', path: '/' }]) {
        const { failed, warnings } = await run({ ...overwrite, from, to, move: true });
        assert.deepEqual([failed, warnings], [left, [stays]]);
      }
      const inside = await run({ from, to: { volume: 'one', path: '/new' } });
      assert.deepEqual([inside.failed, inside.warnings, inside.files], [left, [], 2]);
      assert.ok(existsSync(at('data', 'sock')));
    });

    it('keeps no other thing from being copied that was named with it', async () => {
      await one.files.mkdir('/new');
      const from = { volume: 'one', paths: ['/data/sock', '/data/a'] };
      for (const to of [{ local }, { volume: 'two', path: '/' }, { volume: 'one', path: '/new' }]) {
        const { failed, warnings, files } = await run({ from, to });
        assert.deepEqual([failed.map(({ path }) => path), warnings, files], [['/data/sock'], [], 1]);
        assert.match(failed[0]!.reason, new RegExp(neither));
      }
    });

    it('is left out of a tar that somebody asks for, which is no failure', async () => {
      const members = await membersOf(await bytesOf(await one.files.getTar('/data')));
      assert.deepEqual(Object.keys(members).sort(), ['data/', 'data/a', 'data/secret/', 'data/secret/b']);
    });

    it('is named by a disk as well', async () => {
      const disk = await TestDisk.create(local);
      try {
        await disk.put('/', [
          [{ name: 'data/a' }, 'a'],
          [{ name: 'data/sock' }, ''],
        ]);
        await disk.access.close();
        debugfsWrite(disk.image, 'set_inode_field /data/sock mode 0140755');
        const volumes = { disk: disk.files, two: two.files };
        for (const to of [{ local }, { volume: 'two', path: '/' }, { volume: 'disk', path: '/new' }]) {
          await disk.files.mkdir('/new', { parents: true });
          const { failed, warnings, files } = await run(
            { ...overwrite, from: { volume: 'disk', paths: ['/data'] }, to },
            volumes,
          );
          assert.deepEqual([failed, warnings, files], [[{ path: '/data/sock', reason: neither }], [], 1]);
        }
      } finally {
        await disk.dispose();
      }
    });
  });

  describe('as it is too deep', () => {
    const levels = 600;

    /** A chain of folders, with a file in each. */
    function dig(folder: string): void {
      const script = `
import os, sys
os.chdir(sys.argv[1])
for _ in range(${levels}):
    os.mkdir("level-by-level")
    os.chdir("level-by-level")
    os.close(os.open("f", os.O_CREAT))
`;
      execFileSync('python3', ['-c', script, folder]);
    }

    it('arrives as far as paths reach, and is named once, with few open files to begin with', async () => {
      await prepare({ openFiles: '64:8192' });
      dig(at('data'));
      const { unread, files } = await one.files.usage('/data');
      assert.deepEqual([unread, files], [undefined, levels + 2]);
      const from = { volume: 'one', paths: ['/data'] };
      const { failed, warnings, ...result } = await run({ from, to: { volume: 'two', path: '/' } });
      assert.ok(failed.length <= 2, `${failed.length} lines`);
      assert.equal(failed[0]?.reason, 'its path is too long to be copied');
      assert.ok(result.files > 250, `${result.files} files`);
      assert.match(warnings.join(), /the others are in what could not be copied/);
      assert.equal(readFileSync(join(two.root, 'data', 'a'), 'utf8'), 'a');
      await one.files.mkdir('/new');
      const inside = await run({ from, to: { volume: 'one', path: '/new' } });
      assert.deepEqual([inside.failed, inside.warnings, inside.files], [[], [], levels + 2]);
    });

    it('stops nothing where no more files may be open', async () => {
      await prepare({ openFiles: '128:128' });
      dig(at('data'));
      const { unread, files } = await one.files.usage('/data');
      assert.match(unread?.reason ?? '', /EMFILE/);
      assert.ok(files > 20, `${files} files`);
      const from = { volume: 'one', paths: ['/data'] };
      for (const to of [{ local }, { volume: 'two', path: '/' }, { volume: 'one', path: '/new' }]) {
        await one.files.mkdir('/new', { parents: true });
        const { failed, files: arrived } = await run({ from, to });
        assert.ok(failed.length > 0 && failed.length < 10, `${failed.length} lines`);
        assert.match(failed[0]!.reason, /EMFILE/);
        assert.ok(arrived > 10, `${arrived} files`);
      }
    });
  });
});
