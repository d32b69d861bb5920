import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { openBundle } from '../../../../src/backend/tar/bundle-file';
import { vetTar } from '../../../../src/backend/tar/vetting';
import { tarOf } from '../../../support/images';
import { useTempFolder } from '../../../support/temp';

describe('tar/bundle-file', () => {
  const folder = useTempFolder();
  const at = (name: string): string => join(folder(), name);

  it('reads tars, packed or not', async () => {
    const bytes = tarOf([{ name: 'a', content: 'a'.repeat(1_000_000) }]);
    writeFileSync(at('x.tar'), bytes);
    writeFileSync(at('x.tgz'), gzipSync(bytes));
    for (const name of ['x.tar', 'x.tgz']) {
      assert((await buffer(openBundle(at(name)))).equals(bytes), name);
    }
  });

  it('waits for no FIFO, reads no device, and says when it is not there', async () => {
    for (const name of ['fifo.tar', 'fifo.tgz']) {
      execFileSync('mkfifo', [at(name)]);
    }
    const open = (path: string) => buffer(vetTar(openBundle(path), path));
    for (const path of [at('fifo.tar'), at('fifo.tgz'), '/dev/zero', folder()]) {
      await assert.rejects(open(path), { code: 'bad_request', message: /not a regular file/ });
    }
    await assert.rejects(open(at('none.tar')), { code: 'not_found' });
  });
});
