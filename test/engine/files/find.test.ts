/** Files and lines are found in workspaces that run and in those that do not, of both kinds. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FindQuery, FoundLine } from '../../../src/api/files/find';
import { find } from '../../../src/client/find';
import { failure } from '../../support/errors';
import { useEngineHarness } from '../../support/engine/engine-harness';
import { testTimeoutMs } from '../../support/runtimes/columns';

const many = 2_000;

describe('files: found', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let name: string;
  let volume: string;

  before(async () => {
    ({ name, homeVolume: volume } = await harness().create());
    const tree = join(harness().folder, 'tree');
    await mkdir(join(tree, 'src', 'deep'), { recursive: true });
    await mkdir(join(tree, 'node_modules'));
    await mkdir(join(tree, 'many'));
    await writeFile(join(tree, 'src', 'main.py'), 'import os\nprint("needle")\n');
    await writeFile(join(tree, 'src', 'deep', '--odd $(id).txt'), 'NEEDLE\nother\n');
    await writeFile(join(tree, 'node_modules', 'dep.js'), 'needle\n');
    await writeFile(join(tree, 'src', 'binary'), Buffer.from('needle\0needle'));
    for (let index = 0; index < many; index += 1) {
      await writeFile(join(tree, 'many', `file-${index}`), `content ${index}\n`);
    }
    const { client } = harness();
    await harness().done(
      await client.call('transfers.create', {
        body: { from: { local: [tree] }, to: { volume, path: '/' } },
      }),
    );
  });

  async function search(query: FindQuery) {
    const lines: FoundLine[] = [];
    const files: string[] = [];
    const listener = {
      lines: (some: FoundLine[]) => void lines.push(...some),
      files: (some: string[]) => void files.push(...some),
    };
    const end = await find(harness().client, volume, query, listener, new AbortController().signal);
    const places = lines.map(({ path, line, column }) => `${path}:${line}:${column}`).sort();
    return { places, files: files.sort(), end };
  }

  for (const state of ['running', 'stopped'] as const) {
    it(`${state}: lines, by case and globs, without what is no text`, async () => {
      if (state === 'stopped') {
        await harness().verb('stop', name);
      }
      const all = await search({ path: '/tree', text: 'needle', exclude: 'node_modules' });
      assert.deepEqual(all.places, ['/tree/src/deep/--odd $(id).txt:1:1', '/tree/src/main.py:2:8']);
      assert.deepEqual(
        [all.end.found, all.end.hasMore, all.end.binary, all.end.searched],
        [2, false, 1, many + 3],
      );
      const one = await search({ path: '/tree', text: '^NEE', regex: true, caseSensitive: true });
      assert.deepEqual(one.places, ['/tree/src/deep/--odd $(id).txt:1:1']);
      const python = await search({ text: 'needle', include: '*.py' });
      assert.deepEqual(python.places, ['/tree/src/main.py:2:8']);
    });

    it(`${state}: lines of one file`, async () => {
      const { places, end } = await search({ path: '/tree/src/main.py', text: 'needle' });
      assert.deepEqual([places, end.searched], [['/tree/src/main.py:2:8'], 1]);
    });

    it(`${state}: files, and the limit is said`, async () => {
      const { files, end } = await search({ path: '/tree/src' });
      assert.deepEqual(files, ['/tree/src/binary', '/tree/src/deep/--odd $(id).txt', '/tree/src/main.py']);
      assert.equal(end.hasMore, false);
      const some = await search({ path: '/tree/many', limit: 10 });
      assert.deepEqual([some.files.length, some.end.found, some.end.hasMore], [10, 10, true]);
      const lines = await search({ path: '/tree/many', text: 'content', limit: 10 });
      assert.deepEqual([lines.places.length, lines.end.hasMore], [10, true]);
    });
  }

  it('says what is wrong with a question', async () => {
    assert.equal((await failure(search({ path: '/nowhere' }))).code, 'path_not_found');
    assert.equal((await failure(search({ text: '(', regex: true }))).code, 'bad_request');
    assert.equal((await failure(search({ text: 'x'.repeat(1_001) }))).code, 'bad_request');
  });
});
