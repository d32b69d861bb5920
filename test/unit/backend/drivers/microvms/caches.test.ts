import assert from 'node:assert/strict';
import { link, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MicrovmCaches } from '../../../../../src/backend/drivers/microvms/caches';
import type { GuestKit } from '../../../../../src/backend/drivers/microvms/parts';
import type { RuntimeRecord } from '../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import { useTempFolder } from '../../../../support/temp';

const hex = (digit: string) => digit.repeat(64);

describe('drivers/microvms/caches', () => {
  const folder = useTempFolder();
  const at = (...names: string[]) => join(folder(), ...names);
  const content = 'x'.repeat(8_192);

  async function put(...names: string[]): Promise<void> {
    await mkdir(at(...names.slice(0, -1)), { recursive: true });
    await writeFile(at(...names), content);
  }

  function caches({ home = folder() } = {}): MicrovmCaches {
    const records = [
      { imageId: `sha256:${hex('a')}`, launch: { kernel: at('guest', '1-old-used', 'vmlinuz') } },
      { imageId: 'sha256:of-another' },
    ];
    return new MicrovmCaches({
      ...{ home, cache: folder() },
      store: { list: () => Promise.resolve(records as RuntimeRecord[]) },
      kits: { find: () => Promise.resolve({ version: '2-now' } as GuestKit) },
    });
  }

  beforeEach(async () => {
    for (const kit of ['1-old', '1-old-used', '2-now', '.draft']) await put('guest', kit, 'vmlinuz');
    for (const name of ['ab12.state', 'ab12.state.sum', 'cd34.state.sum', 'notes.txt']) {
      await put('templates', name);
    }
    for (const digit of ['a', 'b', 'c']) {
      await put('images', 'rootfs', `${hex(digit)}.ext4`);
      await put('images', 'rootfs', `${hex(digit)}.json`);
    }
    await mkdir(at('workspaces'));
    await link(at('images', 'rootfs', `${hex('c')}.ext4`), at('workspaces', 'base.ext4'));
  });

  it('say what there is, and what of it nothing uses', async () => {
    const list = await caches().list();
    assert.deepEqual(
      list.map(({ id, count, bytes, freeableBytes }) => [id, count, bytes / 8_192, freeableBytes / 8_192]),
      [
        ['guest-kits', 3, 3, 1],
        ['templates', 2, 3, 3],
        ['root-images', 3, 3, 1],
      ],
    );
    assert.equal(list[2]?.path, at('images', 'rootfs'));
  });

  it('lose what nothing uses, of those that were named', async () => {
    assert.equal(await caches().clean(['templates', 'root-images']), 4 * 8_192);
    assert.deepEqual((await readdir(at('templates'))).sort(), ['notes.txt']);
    assert.deepEqual((await readdir(at('images', 'rootfs'))).sort(), [
      ...[`${hex('a')}.ext4`, `${hex('a')}.json`, `${hex('c')}.ext4`, `${hex('c')}.json`],
    ]);
    assert.equal((await readdir(at('guest'))).length, 4);
    assert.equal(await caches().clean(['guest-kits']), 8_192);
    assert.deepEqual((await readdir(at('guest'))).sort(), ['.draft', '1-old-used', '2-now']);
    assert.equal(await caches().clean(['guest-kits', 'templates', 'root-images']), 0);
  });

  it('have a booted microVM that has lost its checksum, too, which no start takes', async () => {
    await put('templates', 'ef56.state');
    const templates = (await caches().list()).find(({ id }) => id === 'templates');
    assert.deepEqual([templates?.count, templates?.freeableBytes], [3, 4 * 8_192]);
    assert.equal(await caches().clean(['templates']), 4 * 8_192);
    assert.deepEqual(await readdir(at('templates')), ['notes.txt']);
  });

  it('count what was freed once, when they are cleaned twice at the same time', async () => {
    const both = caches();
    const freed = await Promise.all([both.clean(['templates']), both.clean(['templates'])]);
    assert.deepEqual(freed, [3 * 8_192, 0]);
  });

  it('keep every kernel where other installations have the cache, too', async () => {
    assert.equal(await caches({ home: '/elsewhere' }).clean(['guest-kits']), 0);
  });

  it('are empty where nothing was made yet', async () => {
    const none = new MicrovmCaches({
      ...{ home: at('none'), cache: at('none') },
      store: { list: () => Promise.resolve([]) },
      kits: { find: () => Promise.resolve(undefined) },
    });
    assert.deepEqual(
      (await none.list()).map(({ count, bytes }) => count + bytes),
      [0, 0, 0],
    );
  });
});
