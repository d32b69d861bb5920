import assert from 'node:assert/strict';
import type { Driver } from '../../../../src/backend/drivers/driver';
import { renewClaims } from '../../../../src/backend/services/own-volumes';
import type { WorkspaceRegistry } from '../../../../src/backend/services/workspace-registry';
import { AdoptedVolumes } from '../../../../src/backend/store/adopted-volumes';
import { FakeVolumes } from '../../../support/fake-volumes';
import { useTempFolder } from '../../../support/temp';

describe('services/own-volumes', () => {
  const folder = useTempFolder();

  it('marks homes of the driver again, not what has the name of a home of the other driver', async () => {
    const volumes = new FakeVolumes(() => Promise.resolve());
    for (const name of ['workspace-ours', 'workspace-machine', 'workspace-cut-off', 'other']) {
      volumes.add(name, undefined, false);
    }
    const record = (name: string, runtime: string, more = {}) => ({
      ...{ name, homeVolume: `workspace-${name}`, spec: { runtime } },
      ...more,
    });
    const cutOff = { replaced: { adoption: { takenOver: [] } } };
    const records = [
      record('ours', 'container'),
      record('machine', 'microvm'),
      record('cut-off', 'container', cutOff),
    ];
    const registry = { all: () => records } as unknown as WorkspaceRegistry;
    const log = { warn: (_: object, text: string) => assert.fail(text), info: () => undefined };
    const adopted = new AdoptedVolumes(`${folder()}/adopted.json`);
    const driver = { kind: 'container', volumes } as unknown as Driver;
    await renewClaims({ adopted, registry, log: log as never }, driver);
    assert.deepEqual([...volumes.claimed.keys()], ['workspace-ours']);
    assert(!adopted.lists('workspace-machine'));
  });
});
