import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MicrovmFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import { useTempFolder } from '../../../../../support/temp';

describe('microvms/runtimes: the folder of sockets whose own would have too long a path', () => {
  const folder = useTempFolder();

  it('goes when no socket is in it any more, and with no other folder', async () => {
    const home = join(folder(), 'long'.repeat(20));
    await mkdir(home, { recursive: true });
    const files = new MicrovmFiles(home);
    const { folder: own, sockets } = files.of('workspace-demo');
    const short = dirname(sockets.qmp);
    assert.notEqual(short, own);
    await files.ensureSocketFolder(own);
    await writeFile(sockets.qmp, '');
    await files.removeSocketFolder();
    assert(existsSync(sockets.qmp));
    await rm(sockets.qmp);
    await files.removeSocketFolder();
    assert(!existsSync(short));
    await files.removeSocketFolder();
  });
});
