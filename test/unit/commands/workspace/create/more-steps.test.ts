import assert from 'node:assert/strict';
import '../../../../support/vscode/stand-in';
import type { EngineInfo, NetworkMode, RuntimeKind } from '../../../../../src/api';
import type { WorkspaceDraft } from '../../../../../src/commands/workspace/create/draft';
import { dropUnfitNetwork, idleChoice } from '../../../../../src/commands/workspace/create/more-steps';

const driver = (runtime: RuntimeKind, networks: NetworkMode[]) => ({
  ...{ runtime, available: true },
  features: { networks },
});
const info = {
  drivers: [driver('container', ['on', 'off']), driver('microvm', ['on', 'off', 'host-loopback'])],
} as unknown as EngineInfo;
const draft = (runtime: RuntimeKind, network?: NetworkMode): WorkspaceDraft => ({
  ...{ name: 'demo', runtime, image: '', cloneUrl: '', limits: {}, docker: false },
  more: { env: { A: '1' }, ...(network !== undefined && { network }) },
});

describe('the steps behind More…', () => {
  it('take a network back that another runtime can not have, and nothing else', () => {
    const changed = draft('container', 'host-loopback');
    assert.equal(dropUnfitNetwork(changed, info), 'host-loopback');
    assert.deepEqual(changed.more, { env: { A: '1' } });
    for (const kept of [draft('microvm', 'host-loopback'), draft('container', 'off'), draft('container')]) {
      const before = structuredClone(kept);
      assert.equal(dropUnfitNetwork(kept, info), undefined);
      assert.deepEqual(kept, before);
    }
  });

  it('mark what was chosen for idle times before', () => {
    assert.equal(idleChoice(undefined), 0);
    assert.equal(idleChoice({ pauseAfter: 60 }), 2);
    assert.equal(idleChoice({ pauseAfter: 30, stopAfter: 240 }), 4);
    assert.equal(idleChoice({ pauseAfter: 7 }), -1);
  });
});
