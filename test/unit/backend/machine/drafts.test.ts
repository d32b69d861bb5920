import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sweepDrafts } from '../../../../src/backend/machine/draft-sweep';
import { draftOf } from '../../../../src/backend/machine/drafts';
import { useTempFolder } from '../../../support/temp';

describe('machine/drafts', () => {
  const folder = useTempFolder();
  const old = new Date(Date.now() - 7_200_000);

  /** A draft that is a folder, made long ago, with a file in it. */
  async function draftFolder(writtenAt: Date): Promise<string> {
    const path = `${draftOf(join(folder(), 'x'))}.content`;
    await mkdir(path);
    await writeFile(join(path, 'content'), 'x');
    await utimes(join(path, 'content'), writtenAt, writtenAt);
    await utimes(path, old, old);
    return basename(path);
  }

  it('are swept when nobody wrote to them for long, folders by what is in them', async () => {
    const abandoned = await draftFolder(old);
    const busy = await draftFolder(new Date());
    await writeFile(join(folder(), 'data.ext4.20261126'), 'of the user');
    await sweepDrafts(folder(), 3_600_000);
    const left = await readdir(folder());
    assert.deepEqual(left.sort(), [busy, 'data.ext4.20261126'].sort());
    assert(!left.includes(abandoned));
    await sweepDrafts(folder());
    assert.deepEqual(await readdir(folder()), ['data.ext4.20261126']);
  });
});
