import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { Volume } from '../../../../src/api';
import type { Holder } from '../../../../src/api/volumes/schemas';
import { deleteVolume } from '../../../../src/commands/volume/delete';
import type { Targets } from '../../../../src/commands/targets';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { volume } from '../../providers/fixtures';

const holder: Holder = { runtime: 'workspace-demo', workspace: 'demo', state: 'running', readOnly: false };

describe('deleting volumes', () => {
  const unlinked = useUnlinked();
  beforeEach(() => standIn.reset());

  const remove = (...chosen: Volume[]) => {
    const targets = { volumes: () => Promise.resolve(chosen) } as unknown as Targets;
    return deleteVolume({ ...unlinked(), targets } as unknown as Parameters<typeof deleteVolume>[0])();
  };

  it('says that a protected one is protected, whether or not something holds it', async () => {
    for (const holders of [[], [holder]]) {
      const guarded = ['a', 'b'].map((name) => volume(name, { protected: true, holders }));
      await assert.rejects(remove(...guarded), /Volume a is protected/);
      assert.deepEqual(standIn.messages, []);
    }
  });

  it('says of others that they are in use', async () => {
    await remove(volume('a', { holders: [holder] }));
    assert.match(standIn.messages[0]?.text ?? '', /demo/);
  });
});
