import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '../../../../../src/backend/drivers/driver';
import {
  giveVolumeBack,
  renewClaims,
  takeVolume,
} from '../../../../../src/backend/services/volumes/own-volumes';
import type { WorkspaceRegistry } from '../../../../../src/backend/services/workspaces/registry';
import { AdoptedVolumes } from '../../../../../src/backend/store/adopted-volumes';
import { FakeVolumes } from '../../../../support/fakes/fake-volumes';
import { useTempFolder } from '../../../../support/temp';

describe('services/volumes/own-volumes', () => {
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

  it('marks nothing again that is given back meanwhile, whoever is first', async () => {
    for (const moment of ['volumes.list', 'volumes.inspect', 'volumes.claim']) {
      const adopted = new AdoptedVolumes(`${folder()}/${moment}.json`);
      let givenBack: Promise<void> | undefined;
      let isWatched = false;
      const volumes: FakeVolumes = new FakeVolumes(async (what) => {
        if (isWatched && what === moment) {
          givenBack ??= giveVolumeBack({ adopted }, driver, 'workspace-a');
          // As long as it would take if nothing held it up.
          await sleep(30);
        }
      });
      const driver = { kind: 'container', volumes } as unknown as Driver;
      volumes.add('workspace-a', undefined, false);
      await takeVolume({ adopted }, driver, 'workspace-a', false);
      isWatched = true;
      const registry = { all: () => [] } as unknown as WorkspaceRegistry;
      const log = { warn: (_: object, text: string) => assert.fail(text) };
      await renewClaims({ adopted, registry, log: log as never }, driver);
      assert(givenBack, moment);
      await givenBack;
      assert.deepEqual([...volumes.claimed.keys()], [], moment);
      assert(!adopted.lists('workspace-a'), moment);
    }
  });
});
