/** Lists that are sent on unread say the same as those that are read. */
import assert from 'node:assert/strict';
import { fileTypes } from '../../../../../src/api/files/schemas';
import { entryOf } from '../../../../../src/backend/files/agent/replies';
import { writeEntries, type Row } from '../../../../../src/backend/files/disk/agent/written-entries';
import { WrittenList } from '../../../../../src/api/files/written-list';
import { useServer } from '../../../../support/engine/server';
import { useTempFolder } from '../../../../support/temp';
import { TestDisk, writeByDebugfs } from './harness';

/** The same numbers at each run: a fault can be found again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

function written(rows: readonly Row[]): unknown {
  const next = rows.values();
  return JSON.parse(
    writeEntries(
      rows.map(([name]) => name),
      () => next.next().value!,
    ).toString(),
  );
}

describe('written lists of a stopped disk', function () {
  this.timeout(60_000);

  it('have the kinds, numbers and times of the rows', () => {
    const some = numbers(7);
    const times = [0, 1, -1, 999_999, 1_000_000, 1_000_001, -5_000_123, 2 ** 31 * 1e6, 1.5e16, 8e15];
    const sizes = [0, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 44];
    const rows = Array.from({ length: 3000 }, (_, index): Row => {
      const time = (): number => times[some(40)] ?? some(2 ** 31) * 1e6 + some(1e6);
      return [
        ...([`f${index}`, index % (fileTypes.length + 1), sizes[some(20)] ?? some(1e9)] as const),
        ...([some(0o10000), some(2 ** 31) * 2, some(70_000), time(), time()] as const),
      ];
    });
    assert.deepEqual(written(rows), rows.map(entryOf));
    assert.deepEqual(written([]), []);
  });

  it('quote every character that a name can have', () => {
    const characters = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code));
    const names = [...characters, '\u2028', '\uef80', '😀', 'a"b\\c', '\n'.repeat(255), 'é'.repeat(127)];
    const rows = names
      .filter((name) => name !== '\0' && name !== '/' && name !== '.')
      .map((name): Row => [name, 2, 1, 0o777, 0, 0, 5e12, 5e12, 'outside', `/${name}`]);
    assert.deepEqual(written(rows), rows.map(entryOf));
  });

  describe('on a disk', () => {
    const { start } = useServer();
    let disk: TestDisk;
    // Before the folder goes.
    afterEach(async () => {
      await disk.check();
      await disk.dispose();
    });
    const folder = useTempFolder();
    beforeEach(async () => {
      disk = await TestDisk.create(folder());
      for (const name of ['a "quoted" one', 'line\nbreak', 'plain', 'ümläut', '\uef80\uefff', '😀']) {
        await disk.files.write(`/${name}`, Buffer.from(name), { create: true, overwrite: false });
      }
      await disk.files.mkdir('/sub');
      await disk.files.mkdir('/empty');
      await disk.put('/', [
        [{ name: 'there', type: 'symlink', linkname: 'plain' }],
        [{ name: 'nowhere', type: 'symlink', linkname: 'none "at" all' }],
        [{ name: 'out', type: 'symlink', linkname: '/etc/passwd' }],
        [{ name: 'old', mtime: new Date(-86_400_000) }, 'old'],
      ]);
    });

    it('are the same whole, by pages and of a folder with nothing in it', async () => {
      for (const page of [{}, { limit: 3 }, { limit: 3, cursor: 'line\nbreak' }, { limit: 100 }]) {
        const list = await disk.files.list('/', page);
        const sent = await disk.files.list('/', { ...page, isSentOn: true });
        assert.ok(sent instanceof WrittenList);
        assert.deepEqual(JSON.parse(sent.toJsonBytes().toString()), list);
        assert.deepEqual(
          [sent.path, sent.total, sent.next, sent.entries],
          [list.path, list.total, list.next, list.entries],
        );
      }
      const empty = await disk.files.list('/empty', { isSentOn: true });
      assert.deepEqual([empty.entries, empty.total], [[], 0]);
    });

    it('go over the API as they are', async () => {
      const test = await start();
      Object.assign(test.services.volumes, { files: () => Promise.resolve(disk.files) });
      const answer = await test.server.inject({ url: '/v1/volumes/data/files/list?path=/' });
      assert.equal(answer.statusCode, 200, answer.body);
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
      assert.deepEqual(answer.json(), await disk.files.list('/'));
      const missing = await test.server.inject({ url: '/v1/volumes/data/files/list?path=/none' });
      assert.equal(missing.statusCode, 404);
    });

    it('refuse what is damaged', async () => {
      await writeByDebugfs(disk, ['set_inode_field /plain links_count 0']);
      await assert.rejects(disk.files.list('/', { isSentOn: true }), /named but not in use/);
      await writeByDebugfs(disk, ['set_inode_field /plain links_count 1']);
    });
  });
});
