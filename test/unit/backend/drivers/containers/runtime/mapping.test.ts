import assert from 'node:assert/strict';
import type Dockerode from 'dockerode';
import { claimedLabels, claimsAmong } from '../../../../../../src/backend/drivers/containers/volumes/claims';
import { Ownership } from '../../../../../../src/backend/drivers/containers/engine/ownership';
import { EventMapper } from '../../../../../../src/backend/drivers/containers/engine/events';
import {
  isInternalContainer,
  isInternalVolume,
  volumeRole,
} from '../../../../../../src/backend/drivers/containers/engine/labels';
import { fromListed, stateOf } from '../../../../../../src/backend/drivers/containers/runtime/runtime-info';
import { toStats, type RawStats } from '../../../../../../src/backend/drivers/containers/runtime/stats';
import { indexHolders, toVolume } from '../../../../../../src/backend/drivers/containers/volumes/volume-info';

const listed = (changes: Partial<Dockerode.ContainerInfo>): Dockerode.ContainerInfo =>
  ({
    Id: 'id',
    Names: ['/workspace-a'],
    Image: 'img',
    ImageID: 'sha256:1',
    Labels: { 'workspace.name': 'a' },
    State: 'running',
    Status: 'Up 2 minutes',
    Ports: [],
    Mounts: [],
    ...changes,
  }) as unknown as Dockerode.ContainerInfo;
const mount = (Name: string, RW: boolean): Dockerode.ContainerInfo['Mounts'][number] => ({
  Type: 'volume',
  Name,
  Source: '',
  Destination: `/${Name}`,
  Mode: '',
  RW,
  Propagation: '',
});

const me = new Ownership('me');

describe('containers and volumes in the words of the driver', () => {
  it('states: everything that does not run is stopped', () => {
    const states = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
    assert.deepEqual(states.map(stateOf), [
      'stopped',
      'running',
      'paused',
      'running',
      'stopped',
      'stopped',
      'stopped',
    ]);
  });

  it('a row of a list: exit code out of the status, port from the label or the published one', () => {
    const exited = fromListed(listed({ State: 'exited', Status: 'Exited (137) 3 minutes ago' }));
    assert.equal(exited.exitCode, 137);
    assert.equal(exited.state, 'stopped');
    assert.equal(fromListed(listed({ Labels: { 'berth.ssh-port': '2205' } })).sshPort, 2205);
    const published = [{ IP: '0.0.0.0', PrivatePort: 22, PublicPort: 2299, Type: 'tcp' }];
    assert.equal(fromListed(listed({ Ports: published })).sshPort, 2299);
    assert.equal(fromListed(listed({})).sshPort, undefined);
  });

  it('holders: one per container, read-only when all of its mounts are, never our own helpers', () => {
    const index = indexHolders(
      [
        listed({ Mounts: [mount('v', false), mount('v', true), mount('ro', false)] }),
        listed({ Names: ['/keeper'], Labels: { 'berth.keeper': 'true' }, Mounts: [mount('v', false)] }),
        listed({ Names: ['/other'], Labels: {}, State: 'exited', Mounts: [mount('v', false)] }),
        listed({
          ...{ Names: ['/workspace-b'], Mounts: [mount('theirs', true)] },
          Labels: { 'workspace.name': 'b', 'berth.installation': 'they', 'berth.home': '/h' },
        }),
      ],
      me,
    );
    // Their workspaces are not ours, whatever they are called.
    assert.deepEqual(index.get('theirs'), [
      {
        runtime: 'workspace-b',
        owner: { installation: 'they', home: '/h' },
        state: 'running',
        readOnly: false,
      },
    ]);
    assert.deepEqual(index.get('v'), [
      { runtime: 'workspace-a', workspace: 'a', state: 'running', readOnly: false },
      { runtime: 'other', state: 'stopped', readOnly: true },
    ]);
    assert.equal(index.get('ro')?.[0]?.readOnly, true);
  });

  it('volumes: managed only when ours, whatever labels are missing', () => {
    const volume = toVolume({ Name: 'x', Labels: null }, new Map(), me);
    assert.deepEqual([volume.role, volume.managed, volume.holders], ['foreign', false, []]);
    const ours = {
      Name: 'y',
      Labels: { 'berth.installation': 'me', 'berth.volume': 'true', 'berth.nonce': 'n' },
    };
    const mine = toVolume({ ...ours, CreatedAt: '2026-01-02T03:04:05Z' }, new Map(), me);
    assert.equal(mine.managed, true);
    assert.equal(mine.createdAt, '2026-01-02T03:04:05.000Z');
    assert.ok(!('berth.nonce' in mine.labels));
    assert.equal(mine.owner, undefined);
    const home = {
      Name: 'workspace-x',
      Labels: { 'berth.installation': 'they', 'berth.role': 'home', 'workspace.name': 'x' },
    };
    const theirs = toVolume(home, new Map(), me);
    assert.deepEqual(
      [theirs.managed, theirs.owner, theirs.workspace],
      [false, { installation: 'they' }, undefined],
    );
    const adopted = toVolume(
      home,
      new Map(),
      new Ownership(
        'me',
        undefined,
        ({ name, installation }) => name === 'workspace-x' && installation === 'they',
      ),
    );
    assert.deepEqual([adopted.managed, adopted.owner, adopted.workspace], [true, undefined, 'x']);
    // An image that was committed has the label without a value.
    assert.equal(me.of({ 'berth.installation': '' }), undefined);
  });

  it('volumes: a claim says whose one is, and nothing but its name makes a container one', () => {
    const labels = { 'berth.role': 'claim', 'berth.installation': 'they', 'berth.home': '/their' };
    const container = (name: string, more = {}): Dockerode.ContainerInfo =>
      ({ Names: [`/${name}`], Labels: { ...labels, ...more }, Mounts: [] }) as never;
    const claims = claimsAmong([
      container('berth-claim-data'),
      container('workspace-x', { 'berth.claim': 'other' }),
      container('berth-claim-other', { 'berth.role': 'runtime' }),
    ]);
    assert.deepEqual([...claims.keys()], ['data']);
    const ofMine = { Name: 'data', Labels: { 'berth.installation': 'me', 'berth.volume': 'true' } };
    const me = new Ownership('me');
    const lost = toVolume(ofMine, new Map(), me, claims.get('data'));
    assert.deepEqual([lost.managed, lost.owner], [false, { installation: 'they', home: '/their' }]);
    assert.deepEqual(lost.labels, ofMine.Labels);
    const they = new Ownership('they');
    const taken = toVolume({ Name: 'data', Labels: null }, new Map(), they, claims.get('data'));
    assert.deepEqual([taken.managed, taken.owner, taken.role], [true, undefined, 'named']);
    assert(isInternalContainer(labels));
    // Who made it has taken it back from one that still has it in its list.
    const other = new Ownership('other', undefined, () => true);
    const ofTheirs = { Name: 'data', Labels: { 'berth.installation': 'they', 'berth.nonce': 'n' } };
    assert(toVolume(ofTheirs, new Map(), other).managed);
    const back = toVolume(ofTheirs, new Map(), other, claims.get('data'));
    assert.deepEqual([back.managed, back.owner?.installation], [false, 'they']);
    assert.throws(() => other.refuseVolume('data', claimedLabels(ofTheirs.Labels, labels)), /belongs to/);
  });

  it('roles: by label before name', () => {
    const role = (name: string, labels: Record<string, string> = {}): string => volumeRole(name, labels).role;
    assert.equal(role('workspace-a'), 'home');
    assert.equal(role('workspace-a-docker'), 'docker');
    assert.equal(role('workspace-a-docker', { 'berth.role': 'home', 'workspace.name': 'a-docker' }), 'home');
    assert.equal(role('sandkasten-ws-1'), 'session');
    assert.equal(role('x', { 'sandkasten.workspace': 'true' }), 'session');
    assert.equal(role('x', { 'berth.volume': 'true' }), 'named');
    assert.equal(role('x'), 'foreign');
    assert.ok(isInternalVolume('berth-tools-1-0123456789ab', { 'berth.role': 'tools' }));
    assert.ok(isInternalVolume('workspace-a.bundle-0', { 'berth.bundle': 'true' }));
    assert.ok(!isInternalVolume('berth-tools-mine', {}), "a user's");
    assert.ok(!isInternalVolume('berth-tools-1-0123456789ab', { 'com.example': 'x' }), "another tool's");
    // Of an older engine on Podman.
    assert.ok(isInternalVolume('berth-tools-1-0123456789ab', {}));
    assert.ok(!isInternalVolume('workspace-a', {}));
  });
});

describe('events in the words of the driver', () => {
  const container = (Action: string, Attributes: Record<string, string> = {}, ID = 'c1') => ({
    Type: 'container',
    Action,
    Actor: { ID, Attributes: { name: 'workspace-a', 'workspace.name': 'a', ...Attributes } },
  });

  it('Docker and Podman, with the verbs of both', () => {
    const mapper = new EventMapper();
    const verbs = [
      'create',
      'start',
      'die',
      'died',
      'pause',
      'unpause',
      'destroy',
      'remove',
      'exec_start: sh',
      'top',
    ];
    assert.deepEqual(
      verbs.map((verb) => {
        const event = mapper.map(container(verb));
        return event?.type === 'runtime' ? event.what : undefined;
      }),
      [
        'created',
        'started',
        'stopped',
        'stopped',
        'paused',
        'resumed',
        'removed',
        'removed',
        undefined,
        undefined,
      ],
    );
  });

  it('volumes, also where their name is an attribute; not those that our helpers hold', () => {
    const mapper = new EventMapper();
    const volume = (Action: string, ID: string, Attributes: Record<string, string> = {}) =>
      mapper.map({ Type: 'volume', Action, Actor: { ID, Attributes } });
    assert.deepEqual(volume('create', 'v'), { type: 'volume', name: 'v', what: 'created' });
    assert.deepEqual(volume('remove', '', { name: 'w' }), { type: 'volume', name: 'w', what: 'removed' });
    assert.equal(mapper.map(container('create', { 'berth.keeper': 'true' }, 'k1')), undefined);
    assert.equal(volume('mount', 'v', { container: 'k1' }), undefined);
    assert.deepEqual(volume('mount', 'v', { container: 'c1' }), {
      type: 'volume',
      name: 'v',
      what: 'attached',
    });
  });
});

describe('figures', () => {
  const raw: RawStats = {
    read: '2026-01-01T00:00:02Z',
    preread: '2026-01-01T00:00:01Z',
    pids_stats: { current: 7 },
    cpu_stats: { cpu_usage: { total_usage: 3_500_000_000 } },
    precpu_stats: { cpu_usage: { total_usage: 2_000_000_000 } },
    memory_stats: { usage: 1000, limit: 5000, stats: { total_inactive_file: 300 } },
    networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
  };

  it('of two samples: CPU in percent of one, memory without the page cache', () => {
    const stats = toStats(raw);
    assert.equal(stats?.cpuPercent, 150);
    assert.equal(stats.memoryBytes, 700);
    assert.deepEqual([stats.networkRxBytes, stats.networkTxBytes, stats.pids], [11, 22, 7]);
    const second = toStats({ ...raw, memory_stats: { usage: 1000, stats: { inactive_file: 400 } } });
    assert.equal(second?.memoryBytes, 600);
  });

  it('of a first sample: none', () => {
    assert.equal(toStats({ ...raw, preread: '0001-01-01T00:00:00Z' }), undefined);
    assert.equal(toStats({ ...raw, preread: raw.read }), undefined);
  });
});
