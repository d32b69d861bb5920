import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { unpackTar } from '../../../../../src/backend/files/local/unpack/unpack';
import { encodeHeader, type TarEntry } from '../../../../../src/backend/tar/header';
import { useTempFolder } from '../../../../support/temp';

const day = 86_400_000;

describe('times of what is downloaded', () => {
  const folder = useTempFolder();

  for (const [what, mtimeMs] of [
    ['before 1970', -200.5 * day],
    ['of 1970', 0],
    ['of 1904', -24_000 * day],
    ['after 2038', 30_000 * day],
  ] as const) {
    it(`are kept: ${what}`, async () => {
      const plain = { size: 0, uid: 0, gid: 0, mtimeMs, linkName: '', mode: 0o755 };
      const entries: TarEntry[] = [
        { ...plain, type: 'directory', name: 'folder/' },
        { ...plain, type: 'file', name: 'folder/file' },
        { ...plain, type: 'symlink', name: 'folder/link', linkName: 'file' },
      ];
      const tar = Buffer.concat([...entries.map(encodeHeader), Buffer.alloc(1024)]);
      await unpackTar(
        async (take) => {
          await take(tar);
        },
        { folder: folder(), renaming: { drop: 0, prefix: [] } },
        { report: { received() {}, failed() {}, lost() {} }, signal: new AbortController().signal },
      );
      const times = ['folder', 'folder/file', 'folder/link'].map(
        (name) => lstatSync(join(folder(), name)).mtimeMs,
      );
      assert.deepEqual(times, [mtimeMs, mtimeMs, mtimeMs]);
    });
  }
});
