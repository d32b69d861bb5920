import assert from 'node:assert/strict';
import '../../../../support/vscode/stand-in';
import { containerFeatures } from '../../../../../src/backend/drivers/containers/engine/features';
import { microvmFeatures } from '../../../../../src/backend/drivers/microvms/features';
import type { EngineInfo, NetworkMode, RuntimeKind } from '../../../../../src/api';
import type { WorkspaceDraft } from '../../../../../src/commands/workspace/create/draft';
import { refuseUnsupported } from '../../../../../src/backend/drivers/contract/support';
import {
  dropUnfitNetwork,
  idleChoice,
  networkItems,
  portsProblem,
} from '../../../../../src/commands/workspace/create/more-steps';

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

function works(call: () => void): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}

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

  it('refuse a network that is off together with ports exactly where the engine does', () => {
    const able = { container: containerFeatures(false), microvm: microvmFeatures };
    const known = {
      drivers: (['container', 'microvm'] as const).map((runtime) => ({
        ...{ runtime, available: true },
        features: able[runtime],
      })),
    } as unknown as EngineInfo;
    for (const kind of ['container', 'microvm'] as const) {
      for (const network of ['on', 'off'] as const) {
        for (const [text, ports] of [
          ['', []],
          ['8080', [{ guest: 8080 }]],
        ] as const) {
          const isRefused = !works(() =>
            refuseUnsupported({ network, ports }, { kind, features: able[kind] }),
          );
          const which = `${kind} ${network} ${text}`;
          assert.equal(portsProblem(text, draft(kind, network), known) !== undefined, isRefused, which);
          const chosen = { ...draft(kind), more: { ports: [...ports] } };
          const item = networkItems(chosen, known).find(({ value }) => value === network);
          assert.equal(item?.takesPorts, isRefused, which);
          const changed = { ...chosen, more: { ...chosen.more, network } };
          assert.equal(dropUnfitNetwork(changed, known), isRefused ? 'off' : undefined, which);
          assert.deepEqual(changed.more.ports, ports);
        }
      }
    }
    const [, off] = networkItems({ ...draft('container'), more: { ports: [{ guest: 80 }] } }, known);
    assert.match(off?.detail ?? '', /80 is not published then/);
    assert.match(portsProblem('80', draft('container', 'off'), known) ?? '', /network is off/);
  });

  it('mark what was chosen for idle times before', () => {
    assert.equal(idleChoice(undefined), 0);
    assert.equal(idleChoice({ pauseAfter: 60 }), 2);
    assert.equal(idleChoice({ pauseAfter: 30, stopAfter: 240 }), 4);
    assert.equal(idleChoice({ pauseAfter: 7 }), -1);
  });
});
