/** Archives of images on disk that somebody made to be read wrongly. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TarFile } from '../../../../../src/backend/images/oci/tar-file';
import { tarOf } from '../../../../support/images';
import { useTempFolder } from '../../../../support/temp';

describe('oci/tar-file', () => {
  const folder = useTempFolder();

  it('says in words which archive is damaged when an extended header can not be read', async () => {
    const path = join(folder(), 'image.tar');
    const bytes = tarOf([{ name: 'n'.repeat(200) }]);
    bytes.write('zz', 512, 'latin1');
    writeFileSync(path, bytes);
    await assert.rejects(TarFile.open(path), {
      code: 'bad_request',
      message: `${path} is damaged: an extended header can not be read.`,
      field: 'image',
    });
  });

  it('waits for no FIFO, and reads no device', async () => {
    const path = join(folder(), 'fifo.tar');
    execFileSync('mkfifo', [path]);
    for (const each of [path, '/dev/zero']) {
      await assert.rejects(TarFile.open(each), {
        code: 'bad_request',
        message: `${each} can't be read: it is not a regular file.`,
      });
    }
  });
});
