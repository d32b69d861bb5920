import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { Workspace } from '../../../../src/api';
import {
  groupItem,
  mountItem,
  portItem,
  stateIcon,
  workspaceDescription,
  workspaceItem,
} from '../../../../src/providers/trees/workspace-item';
import { Store } from '../../../../src/ui/store';
import { workspace } from '../fixtures';

const parts = ['port', 'idle', 'runtime', 'image'];
const described = (more: Partial<Workspace>, shown = parts): string =>
  workspaceDescription(workspace('demo', more), undefined, shown);

describe('the grey text of a workspace', () => {
  beforeEach(() => standIn.reset());

  it('begins with the state in words when it is not running, whatever the user chose to see', () => {
    assert.equal(described({ state: 'stopped' }), 'stopped');
    assert.equal(described({ state: 'paused' }, []), 'paused');
    assert.equal(described({ state: 'error' }), 'error');
    const ownFiles = { bytes: 1_500_000, measuredAt: '2026-01-02T00:00:00Z' };
    assert.equal(described({ state: 'archived', ownFiles }), 'archived, 1.4 MiB outside of volumes');
    assert.equal(described({ state: 'running', attached: 1 }), ':2200');
    assert.equal(described({ state: 'running', attached: 1 }, ['state', 'port']), 'running · :2200');
    assert.equal(described({ state: 'starting' }), 'starting…');
  });

  it('names a runtime and an image where they are not the default ones, after the port', () => {
    const spec = { runtime: 'microvm', image: 'debian:12' } as const;
    assert.equal(described({ state: 'running', attached: 1, spec }), ':2200 · microVM · debian:12');
    standIn.settings.set('berth.defaultImage', { globalValue: 'debian:12' });
    assert.equal(described({ state: 'stopped', spec }), 'stopped · microVM');
  });

  it('says of a fork what it was made of, behind how long it has been idle', () => {
    const forkedFrom = { workspace: 'api', at: '2026-01-02T00:00:00Z', snapshot: '0123456789ab' };
    assert.match(described({ state: 'running', forkedFrom }), /^:2200 · idle since [^·]+ · fork of api$/);
    const spec = { runtime: 'microvm', image: 'debian:12' } as const;
    assert.equal(
      described({ state: 'running', attached: 1, forkedFrom, spec }),
      ':2200 · fork of api · microVM · debian:12',
    );
    assert.equal(described({ state: 'stopped', forkedFrom }, []), 'stopped · fork of api');
  });

  it('ends in the name of a workspace that has another label, so that the port is not cut off', () => {
    const store = new Store();
    const payload = workspace('demo', { label: 'Shop', state: 'running', attached: 1 });
    store.take({ type: 'workspace.changed', payload });
    const { label, description } = workspaceItem({ type: 'workspace', name: 'demo' }, store, parts);
    assert.deepEqual([label, description], ['Shop', ':2200 · demo']);
    store.dispose();
  });

  it('is spoken with the state once', () => {
    const store = new Store();
    const spoken = (state: Workspace['state']): string | undefined => {
      store.loadSnapshot({
        workspaces: [workspace('demo', { state, attached: 1 })],
        volumes: [],
        operations: [],
        drivers: [],
      });
      return workspaceItem({ type: 'workspace', name: 'demo' }, store, parts).accessibilityInformation?.label;
    };
    assert.equal(spoken('stopped'), 'Workspace demo, stopped');
    assert.equal(spoken('running'), 'Workspace demo, running, :2200');
    store.dispose();
  });
});

describe('the rows below a workspace, in a side bar of 200 pixels', () => {
  /** What such a row has room for in front of the ellipsis. */
  const room = 16;
  const name = 'payments-gateway';
  let store: Store;

  beforeEach(() => {
    standIn.reset();
    store = new Store();
    const own = { homeVolume: `workspace-${name}`, dockerVolume: `workspace-${name}-docker` };
    store.take({ type: 'workspace.changed', payload: workspace(name, { ...own, sshPort: 2206 }) });
  });

  afterEach(() => store.dispose());

  const mount = (volume: string) =>
    mountItem({ type: 'mount', workspace: name, volume, target: '/x', readOnly: false }, store);

  it('begin with the port of SSH, and have the address in the tooltip', () => {
    const item = portItem({ type: 'port', workspace: name }, store);
    assert.equal(item.label, 'SSH port 2206');
    assert.ok(item.label.length <= room);
    assert.equal(item.tooltip, '127.0.0.1:2206');
  });

  it('begin with what a volume of its own is for, and name the volume in the tooltip and for screen readers', () => {
    assert.equal(mount(`workspace-${name}`).label, 'Home');
    assert.equal(mount(`workspace-${name}-docker`).label, 'Docker data');
    assert.equal(mount('pgdata').label, 'pgdata');
    assert.equal(mount(`workspace-${name}`).tooltip, `Volume workspace-${name} at /x`);
    assert.match(mount(`workspace-${name}`).accessibilityInformation?.label ?? '', /^Volume workspace-/);
  });

  it('have no colour that is the same in dark and light themes', () => {
    // The green of passed tests has a contrast of 1.9 on a light side bar.
    assert.equal(stateIcon('running').color?.id, 'charts.green');
  });
});

describe('the row of a group', () => {
  it('is spoken with how many rows it has', () => {
    const spoken = (count: number) =>
      groupItem('Named', 'group:named', count).accessibilityInformation?.label;
    assert.equal(spoken(1), 'Group Named, 1 row');
    assert.equal(spoken(2), 'Group Named, 2 rows');
  });
});
