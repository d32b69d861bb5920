import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { failure } from '../../errors';
import { anew, bytesOf, Case, over, type Rooms } from './room';

/** Defines the cases of reading and writing the content of files. */
export function contentCases(rooms: Rooms): void {
  const at = new Case(rooms);

  it('writes, reads and describes a file', async () => {
    const before = Date.now();
    const entry = await at.files.write('/a.txt', Buffer.from('hello'), { ...anew, mode: 0o600 });
    assert.deepEqual([entry.name, entry.type, entry.size, entry.mode], ['a.txt', 'file', 5, 0o600]);
    // The kernel's own clock for files is a few milliseconds late.
    assert.ok(entry.mtimeMs >= before - 20 && entry.mtimeMs <= Date.now() + 1);
    assert.equal(await at.text('/a.txt'), 'hello');
    assert.deepEqual(await at.files.stat('//./a.txt'), entry);
    await at.room.restart();
    assert.deepEqual(await at.files.stat('/a.txt'), entry);
    assert.equal(await at.text('/a.txt'), 'hello');
  });

  it('reads a range, an empty file and past the end', async () => {
    await at.save('/a', '0123456789');
    await at.save('/empty', '');
    const range = async (offset: number, length?: number): Promise<string> => {
      const options = { offset, ...(length !== undefined && { length }) };
      return (await bytesOf(await at.files.read('/a', options))).toString();
    };
    assert.deepEqual([await range(3, 4), await range(8), await range(50)], ['3456', '89', '']);
    assert.deepEqual([await range(2, 0), await range(10), await at.text('/empty')], ['', '', '']);
  });

  it('streams what is larger than one message, both ways', async () => {
    const content = Buffer.alloc(9_000_001, 'abcdefghijk');
    const pieces = [content.subarray(0, 70_001), content.subarray(70_001)];
    const entry = await at.files.write('/big', Readable.from(pieces), anew);
    assert.equal(entry.size, content.length);
    assert.ok((await bytesOf(await at.files.read('/big'))).equals(content));
    const middle = await bytesOf(await at.files.read('/big', { offset: 4_000_001, length: 2_600_000 }));
    assert.ok(middle.equals(content.subarray(4_000_001, 6_600_001)));
    await at.room.restart();
    assert.ok((await bytesOf(await at.files.read('/big'))).equals(content));
  });

  it('honours create and overwrite; only one of many writers gets a new name', async () => {
    const old = { create: false, overwrite: true };
    await failure(at.files.write('/a', Buffer.from('x'), old), 'path_not_found');
    const tries = Array.from({ length: 20 }, () => at.files.write('/a', Buffer.from('1'), anew));
    const results = await Promise.allSettled(tries);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    await failure(at.files.write('/a', Buffer.from('2'), anew), 'path_exists');
    assert.equal(await at.text('/a'), '1');
    await at.files.write('/a', Buffer.from('3'), old);
    assert.equal(await at.text('/a'), '3');
    assert.deepEqual(await at.names(), ['a']);
  });

  it('keeps mode and owner of a file it replaces; new ones belong to the owner of their folder', async function () {
    at.needsOwners(this);
    await at.put('/', [
      [{ name: 'home', type: 'directory', uid: 1000, gid: 1001, mode: 0o755 }],
      [{ name: 'home/old', uid: 70_007, gid: 8, mode: 0o640 }, 'old'],
      [{ name: 'home/group', type: 'directory', uid: 5, gid: 6, mode: 0o2775 }],
      [{ name: 'for-all', type: 'directory', uid: 0, gid: 0, mode: 0o1777 }],
    ]);
    const facts = async (path: string): Promise<number[]> => {
      const { uid, gid, mode } = await at.files.stat(path);
      return [uid, gid, mode];
    };
    await at.save('/home/new', 'x');
    assert.deepEqual(await facts('/home/new'), [1000, 1001, 0o644]);
    await at.save('/home/old', 'y');
    assert.deepEqual(await facts('/home/old'), [70_007, 8, 0o640]);
    await at.files.mkdir('/home/deep/er', { parents: true });
    assert.deepEqual(await facts('/home/deep/er'), [1000, 1001, 0o755]);
    await at.files.mkdir('/home/group/in');
    assert.deepEqual(await facts('/home/group/in'), [5, 6, 0o2755]);
    await at.save('/for-all/new', 'x');
    assert.deepEqual(await facts('/for-all/new'), [1000, 1000, 0o644]);
  });

  it('keeps names and attributes of a file it replaces, and reports the rights that went', async () => {
    await at.put('/', [
      [{ name: 'set', mode: 0o6755 }, 'old'],
      [{ name: 'a' }, 'old'],
      [{ name: 'b', type: 'link', linkname: 'a' }],
    ]);
    await at.room.setAttribute('/a', 'user.note', 'kept');
    assert.deepEqual((await at.files.write('/set', Buffer.from('new'), over)).dropped, ['setuid', 'setgid']);
    assert.equal((await at.files.stat('/set')).mode, 0o755);
    assert.equal((await at.files.write('/set', Buffer.from('newer'), over)).dropped, undefined);
    await at.save('/b', 'new');
    assert.equal(await at.text('/a'), 'new');
    const tar = (await bytesOf(await at.files.getTar('/a'))).toString('latin1');
    assert.match(tar, /SCHILY\.xattr\.user\.note=kept\n/);
  });

  it('changes nothing and leaves nothing when a write breaks off or is cancelled', async () => {
    await at.save('/a', 'old');
    const before = (await at.files.usage('/')).allocated;
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(2_000_000);
      await sleep(1);
      throw new Error('the sender is gone');
    }
    await assert.rejects(at.files.write('/a', Readable.from(broken()), over), /sender is gone/);
    const cancelling = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        yield Buffer.alloc(300_000);
        await sleep(2);
        cancelling.abort();
      }
    }
    await failure(at.files.write('/b', Readable.from(endless()), anew, cancelling.signal), 'cancelled');
    assert.deepEqual(await at.names(), ['a']);
    assert.equal(await at.text('/a'), 'old');
    assert.equal((await at.files.usage('/')).allocated, before);
  });

  it('writes through a link to its target, which is replaced alone', async () => {
    await at.save('/target', 'old');
    await at.put('/', [[{ name: 'link', type: 'symlink', linkname: 'target' }]]);
    await at.put('/', [[{ name: 'dangling', type: 'symlink', linkname: 'made' }]]);
    await at.save('/link', 'new');
    assert.equal(await at.text('/target'), 'new');
    assert.equal((await at.files.stat('/link')).type, 'symlink');
    await at.save('/dangling', 'made through the link');
    assert.equal(await at.text('/made'), 'made through the link');
  });

  it('goes on reading what a file was when it is replaced or removed meanwhile', async () => {
    const old = Buffer.alloc(6_000_000, 'o');
    await at.save('/f', old);
    const parts: Buffer[] = [];
    for await (const part of await at.files.read('/f')) {
      if (parts.length === 0) {
        await at.save('/f', Buffer.alloc(6_000_000, 'n'));
        await at.files.remove('/f', { recursive: false });
        await at.save('/g', Buffer.alloc(6_000_000, 'g'));
      }
      parts.push(part as Buffer);
    }
    assert.ok(Buffer.concat(parts).equals(old));
  });

  it('neither reads nor writes a folder, a pipe or a device', async () => {
    await at.put('/', [[{ name: 'd', type: 'directory' }], [{ name: 'pipe', type: 'fifo' }]]);
    await failure(at.files.read('/d'), 'is_a_directory');
    await failure(at.files.write('/d', Buffer.from('x'), over), 'is_a_directory');
    await failure(at.files.write('/', Buffer.from('x'), over), 'is_a_directory');
    const others = (await at.room.makeDevice('/null')) ? ['/pipe', '/null'] : ['/pipe'];
    for (const path of others) {
      await failure(at.files.read(path), 'bad_request');
      await failure(at.files.write(path, Buffer.from('x'), over), 'bad_request');
      assert.equal((await at.files.stat(path)).type, 'other');
    }
  });

  it('says that a handle is closed, and that a request is unknown', async () => {
    await failure(at.ask('pread', { handle: 99, offset: 0, length: 1 }), 'gone');
    await failure(at.ask('pwrite', { handle: 99, offset: 0 }), 'gone');
    await failure(at.ask('commit', { handle: 99 }), 'gone');
    await failure(at.ask('tar_next', { handle: 99 }), 'gone');
    await failure(at.ask('untar', { handle: 99, number: 0 }), 'gone');
    await failure(at.ask('untar_end', { handle: 99, number: 0 }), 'gone');
    await at.ask('close', { handle: 99 });
    await at.ask('tar_close', { handle: 99 });
    await at.ask('unwatch', { watch: 99 });
    await failure(at.ask('dance'), 'internal');
  });
}
