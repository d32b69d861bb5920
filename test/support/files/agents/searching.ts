import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FindEvent, FindQuery } from '../../../../src/api/files/find';
import { Search } from '../../../../src/backend/services/volumes/find/find';
import type { TextQuery } from '../../../../src/backend/files/volume-files';
import { failure } from '../../errors';
import { Case, type Rooms } from './room';

const mebibyte = 1024 * 1024;
const any: TextQuery = { needle: undefined, anyCase: true, maxFileBytes: 2 * mebibyte };

/** Defines the cases of looking for text in many files. */
export function searchCases(rooms: Rooms): void {
  const at = new Case(rooms);

  async function search(paths: readonly string[], query: Partial<TextQuery> = {}) {
    const { files, ...counts } = await at.files.searchText(paths, { ...any, ...query });
    const found = files.map(({ path, pieces }) => [
      path,
      ...pieces.map(({ line, content }) => `${line}:${content.toString()}`),
    ]);
    return { found, counts };
  }

  it('finds the lines that have something, by their numbers', async () => {
    await at.save('/a', 'one\nTwo needles\n\n  needle needle\r\nNEEDLE');
    await at.save('/b', 'none\n');
    const exact = await search(['/a', '/b'], { needle: 'needle', anyCase: false });
    assert.deepEqual(exact.found, [['/a', '2:Two needles', '4:  needle needle\r']]);
    const any = await search(['/b', '/a'], { needle: 'tWO n' });
    assert.deepEqual(any.found, [['/a', '2:Two needles']]);
    const end = await search(['/a'], { needle: 'needle' });
    assert.deepEqual(end.found, [['/a', '2:Two needles', '4:  needle needle\r', '5:NEEDLE']]);
  });

  it('finds letters beyond ASCII, and hands over bytes that are no text', async () => {
    await at.save(
      '/a',
      Buffer.concat([Buffer.from('\n検索 x '), Buffer.of(0xff, 0xc3), Buffer.from('\nÄ\n')]),
    );
    const { files } = await at.files.searchText(['/a'], { ...any, needle: '検索 X' });
    const [piece] = files[0]?.pieces ?? [];
    assert.deepEqual(piece?.content.subarray(-2), Buffer.of(0xff, 0xc3));
    assert.equal(piece.line, 2);
  });

  it('has all lines where nothing is asked of them', async () => {
    await at.save('/a', 'one\ntwo\n');
    await at.save('/empty', '');
    assert.deepEqual((await search(['/a'])).found, [['/a', '1:one\ntwo\n']]);
    assert.equal((await search(['/empty'])).counts.searched, 1);
  });

  it('sends the end of a file as one piece that has very many', async () => {
    await at.save('/a', 'x\n'.repeat(1_000));
    const [row = []] = (await search(['/a'], { needle: 'x' })).found;
    assert(row.length < 400, String(row.length));
    assert.equal(row.at(-2), `${row.length - 2}:x`);
    assert.equal(row.at(-1), `${row.length - 1}:${'x\n'.repeat(1_000 - (row.length - 2))}`);
  });

  it('counts what is no text, too large, or can not be read; not what is gone', async () => {
    await at.save('/text', 'needle');
    await at.save('/binary', 'needle\0');
    await at.save('/large', Buffer.alloc(2 * mebibyte + 1, 'needle\n'));
    await at.save('/full', Buffer.alloc(2 * mebibyte, 'needle\n'));
    await at.save('/late', Buffer.concat([Buffer.alloc(9_000, 'a'), Buffer.from('\nneedle\0')]));
    await at.files.mkdir('/folder');
    await at.put('/', [[{ name: 'pipe', type: 'fifo' }]]);
    const paths = ['/binary', '/large', '/none', '/folder', '/pipe', '/text', '/late', '/full'];
    const { found, counts } = await search(paths, { needle: 'needle' });
    assert.deepEqual(counts, { done: 8, searched: 4, binary: 1, tooLarge: 1, unread: 2 });
    assert.deepEqual(found.slice(0, 2), [
      ['/text', '1:needle'],
      ['/late', '2:needle\0'],
    ]);
    assert.equal(found[2]?.[0], '/full');
  });

  it('answers in parts what is more than one message has', async () => {
    const line = `${'needle'.repeat(100)}\n`;
    await at.save('/a', line.repeat(3_000));
    const paths = Array.from({ length: 8 }, () => '/a');
    const { counts, found } = await search(paths);
    assert(counts.done > 1 && counts.done < 8, String(counts.done));
    assert.deepEqual([counts.searched, found.length], [counts.done, counts.done]);
  });

  it('follows no link out of the volume', async () => {
    await at.put('/', [[{ name: 'out', type: 'symlink', linkname: '../../../../etc/passwd' }]]);
    const { found, counts } = await search(['/out'], { needle: 'root' });
    assert.deepEqual([found, counts.unread], [[], 1]);
  });

  it('is what a search of a whole tree asks', async () => {
    await at.put('/', [
      [{ name: 'src/deep', type: 'directory' }],
      [{ name: 'src/deep/a.py' }, 'import os\nprint("Needles")\n'],
      [{ name: 'src/b.txt' }, 'K NEEDLE\n'],
      [{ name: 'left/c.py' }, 'needle\n'],
      [{ name: 'src/binary' }, 'needle\0'],
    ]);
    const find = async (query: FindQuery): Promise<string[]> => {
      const events: FindEvent[] = [];
      const { signal } = new AbortController();
      await new Search(at.files, query, (event) => events.push(event), signal).run();
      const lines = events.flatMap((event) => ('lines' in event ? event.lines : []));
      return lines.map(({ path, line, column }) => `${path}:${line}:${column}`).sort();
    };
    const [inPython, inText] = ['/src/deep/a.py:2:8', '/src/b.txt:1:3'];
    assert.deepEqual(await find({ text: 'needle', exclude: 'left' }), [inText, inPython]);
    assert.deepEqual(await find({ text: 'Needle', caseSensitive: true }), [inPython]);
    assert.deepEqual(await find({ text: 'needle', word: true, path: '/src' }), [inText]);
    assert.deepEqual(await find({ text: 'ne{2}d.e', regex: true, include: 'deep/*', path: '/src' }), [
      inPython,
    ]);
    assert.deepEqual(await find({ text: 'needle', path: '/src/b.txt' }), [inText]);
  });

  it('ends when it is cancelled, and answers others meanwhile', async () => {
    await at.save('/a', Buffer.alloc(2 * mebibyte, 'abcdefgh\n'));
    const cancel = new AbortController();
    // Of minutes.
    const paths = Array.from({ length: 200_000 }, () => '/a');
    const search = at.files.searchText(paths, { ...any, needle: 'needle' }, cancel.signal);
    search.catch(() => undefined);
    await sleep(100);
    await at.files.stat('/a');
    const begun = Date.now();
    cancel.abort();
    await failure(search, 'cancelled');
    // The agent itself answers that it has ended; after 10 s it would be given up.
    assert(Date.now() - begun < 5_000, `it took ${Date.now() - begun} ms`);
    assert.equal((await at.ask('stat', { path: '/a' })).real, '/a');
  });
}
