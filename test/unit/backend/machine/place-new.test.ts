import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placeNew, placeNewOrThrow } from '../../../../src/backend/machine/place-new';
import { useTempFolder } from '../../../support/temp';

describe('machine/place-new', () => {
  const folder = useTempFolder();
  const at = (name: string) => join(folder(), name);
  const noLinks = {
    link: () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' })),
  };

  for (const [how, system] of [
    ['by a link', undefined],
    ['where there are no links', noLinks],
  ] as const) {
    it(`puts a file where there is none, ${how}`, async () => {
      await writeFile(at('draft'), 'new');
      assert.equal(await placeNew(at('draft'), at('file'), system), true);
      assert.equal(await readFile(at('file'), 'utf8'), 'new');
      assert.deepEqual(await readdir(folder()), ['file']);
    });

    it(`leaves what is there, ${how}`, async () => {
      await writeFile(at('draft'), 'new');
      await writeFile(at('file'), 'theirs');
      assert.equal(await placeNew(at('draft'), at('file'), system), false);
      assert.equal(await readFile(at('file'), 'utf8'), 'theirs');
    });
  }

  it('names what is there', async () => {
    await writeFile(at('draft'), 'new');
    await writeFile(at('file'), 'theirs');
    await assert.rejects(placeNewOrThrow(at('draft'), at('file')), { code: 'path_exists', message: /file/ });
  });

  it('leaves no file without content behind when the draft is gone', async () => {
    await assert.rejects(placeNew(at('draft'), at('file'), noLinks), { code: 'ENOENT' });
    assert.deepEqual(await readdir(folder()), []);
  });
});
