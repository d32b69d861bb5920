import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '../../../../../src/backend/drivers/driver';
import {
  giveVolumeBack,
  leaveVolume,
  removeOwnVolume,
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

  it('gives back what another tool made when its workspace leaves it, not what has its name in the other driver', async () => {
    const adopted = new AdoptedVolumes(`${folder()}/left.json`);
    const volumes = new FakeVolumes(() => Promise.resolve());
    volumes.add('workspace-a', undefined, false);
    const driver = { kind: 'container', volumes } as unknown as Driver;
    await takeVolume({ adopted }, driver, 'workspace-a', false);
    const machines = { kind: 'microvm', volumes: { claims: undefined } } as unknown as Driver;
    await leaveVolume({ adopted }, machines, 'workspace-a');
    assert.deepEqual([adopted.lists('workspace-a'), volumes.claimed.size], [true, 1]);
    await leaveVolume({ adopted }, driver, 'workspace-a');
    assert.deepEqual([adopted.lists('workspace-a'), volumes.claimed.size], [false, 0]);
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

  it('takes the mark off what nobody here has, and knows again what was given back to it', async () => {
    const volumes = new FakeVolumes(() => Promise.resolve());
    const driver = { kind: 'container', volumes } as unknown as Driver;
    const adopted = new AdoptedVolumes(`${folder()}/adopted.json`);
    for (const name of ['left', 'workspace-ours', 'listed', 'returned']) {
      volumes.add(name, undefined, false);
      await volumes.claims.claim(name, false);
    }
    volumes.returned.add('returned');
    await adopted.add({ name: 'listed' });
    const records = [{ name: 'ours', homeVolume: 'workspace-ours', spec: { runtime: 'container' } }];
    const registry = { all: () => records } as unknown as WorkspaceRegistry;
    const log = { warn: (_: object, text: string) => assert.fail(text) };
    await renewClaims({ adopted, registry, log: log as never }, driver);
    assert.deepEqual([...volumes.claimed.keys()], ['workspace-ours', 'listed', 'returned']);
    assert.deepEqual([adopted.lists('left'), adopted.lists('returned')], [false, true]);
  });

  it('marks nothing that is deleted meanwhile: that would make it anew', async () => {
    for (const moment of ['volumes.inspect', 'volumes.claim']) {
      const adopted = new AdoptedVolumes(`${folder()}/${moment}.json`);
      let deleted: Promise<boolean> | undefined;
      const volumes: FakeVolumes = new FakeVolumes(async (what) => {
        if (what === moment && deleted === undefined) {
          const warn = (text: string): void => assert.fail(text);
          deleted = Promise.resolve().then(() => removeOwnVolume({ adopted }, driver, 'workspace-a', warn));
          await sleep(30);
        }
      });
      const driver = { kind: 'container', volumes } as unknown as Driver;
      volumes.add('workspace-a', undefined, false);
      const records = [{ name: 'a', homeVolume: 'workspace-a', spec: { runtime: 'container' } }];
      const registry = { all: () => records } as unknown as WorkspaceRegistry;
      const log = { warn: ({ err }: { err: unknown }) => assert.fail(String(err)) };
      await renewClaims({ adopted, registry, log: log as never }, driver);
      assert.equal(await deleted, true, moment);
      assert.deepEqual([[...volumes.claimed.keys()], volumes.names], [[], []], moment);
      assert(!adopted.lists('workspace-a'), moment);
    }
  });
});
