import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  DirectoryVolumes,
  refuseElsewhere,
} from '../../../../../../src/backend/drivers/microvms/disks/directory-volumes';
import { findAgentDirectory } from '../../../../../../src/backend/inside/agent-source';
import { useTempFolder } from '../../../../../support/temp';

describe('volumes that are folders', () => {
  const temp = useTempFolder();

  it('say where they have no files, and what to use there', () => {
    assert.throws(() => refuseElsewhere('data', 'darwin'), { code: 'not_supported', hint: /kind "disk"/ });
    refuseElsewhere('data', 'linux');
  });

  it('hand on what their agent said last', async () => {
    const volumes = new DirectoryVolumes(findAgentDirectory(__dirname));
    const files = volumes.files('data', join(temp(), 'gone'));
    await assert.rejects(files.list('/'), { message: /data can't be reached.*FileNotFoundError.*gone/ });
    await volumes.closeAll();
  });
});
