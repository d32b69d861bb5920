import assert from 'node:assert/strict';
import { standIn } from '../../../../support/vscode/stand-in';
import type { Snapshot, Volume, Workspace } from '../../../../../src/api';
import { PanelTimeline } from '../../../../../src/commands/workspace/panel/panel-timeline';
import {
  ageWords,
  keptVolumes,
  timelineOf,
  type Timeline,
} from '../../../../../src/commands/workspace/panel/timeline';
import { useRecordedEngine } from '../../../../support/engine/recorded-engine';
import { quietLog } from '../../../../support/vscode/quiet-log';
import { until } from '../../../../support/wait';
import { volume, workspace } from '../../../providers/fixtures';

const now = Date.parse('2026-03-01T12:00:00.000Z');
const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
const snapshot = (id: string, more: Partial<Snapshot> = {}): Snapshot => ({
  ...{ id, volume: 'workspace-demo', kind: 'docker', reason: 'manual', createdAt: ago(5) },
  ...{ usedBytes: 2048, isShared: false, heldMs: 1 },
  ...more,
});

describe('the timeline of a panel', () => {
  const engine = useRecordedEngine();
  let demo: Workspace;
  let volumes: Volume[];
  let drawn: Timeline[];

  beforeEach(() => {
    standIn.reset();
    demo = workspace('demo', { state: 'stopped' });
    volumes = [volume('workspace-demo')];
    drawn = [];
  });

  const make = () =>
    new PanelTimeline({
      client: () => Promise.resolve(engine().client),
      workspace: () => demo,
      volume: (name) => volumes.find((each) => each.name === name),
      drawn: (timeline) => drawn.push(timeline),
      log: quietLog(),
    });

  for (const [minutes, words] of [
    [0, 'just now'],
    [1, '1 minute ago'],
    [59, '59 minutes ago'],
    [60, '1 hour ago'],
    [47 * 60, 'yesterday'],
    [72 * 60, '3 days ago'],
    [45 * 24 * 60, 'last month'],
    [800 * 24 * 60, '2 years ago'],
    [-5, 'just now'],
  ] as const) {
    it(`says of ${minutes} minutes: ${words}`, () => assert.equal(ageWords(ago(minutes), now), words));
  }

  it('is of all volumes of the workspace that can have snapshots, each once', () => {
    const mounts = ['data', 'data', 'folder'].map((source, index) => ({
      ...{ kind: 'volume' as const, source, target: `/mnt/${index}`, readOnly: false },
    }));
    demo = workspace('demo', { spec: { ...demo.spec, mounts } });
    volumes = [volume('workspace-demo'), volume('data'), volume('folder', { kind: 'directory' })];
    const kept = keptVolumes(demo, (name) => volumes.find((each) => each.name === name));
    assert.deepEqual(
      kept.map(({ name }) => name),
      ['workspace-demo', 'data'],
    );
  });

  it('says what each is, and why it can’t be restored while the workspace runs', () => {
    const all = [snapshot('a', { name: 'first' }), snapshot('b', { reason: 'before-restore' })];
    const [first, second] = timelineOf(demo, all, volumes, now).entries;
    assert.deepEqual([first?.title, first?.age, first?.words], ['first', '5 minutes ago', 'Home · 2.0 KiB']);
    assert.match(second?.words ?? '', /before a restore$/);
    const hindrances = (timeline: Timeline) =>
      timeline.entries[0]?.buttons.map(({ hindrance }) => hindrance !== undefined);
    assert.deepEqual(hindrances(timelineOf(demo, all, volumes, now)), [false, false, false]);
    demo = workspace('demo', { state: 'running' });
    volumes = [
      volume('workspace-demo', {
        holders: [{ runtime: 'r', state: 'running', readOnly: false }] as Volume['holders'],
      }),
    ];
    assert.deepEqual(hindrances(timelineOf(demo, all, volumes, now)), [false, true, false]);
  });

  it('shows the newest ones, and that there are more', () => {
    const all = Array.from({ length: 40 }, (_, index) => snapshot(String(index)));
    const { entries, rest } = timelineOf(demo, all, volumes, now);
    assert.deepEqual([entries.length, rest], [30, '… and 10 more']);
  });

  it('asks while it shows, newest first, and for nothing once it is hidden', async () => {
    const list = [snapshot('a', { createdAt: ago(9) }), snapshot('b', { createdAt: ago(3) })];
    engine().answers.set('GET /v1/volumes/workspace-demo/snapshots', () => list);
    const timeline = make();
    timeline.renew();
    assert.equal(engine().asked.length, 0);
    timeline.start();
    await until('it is drawn', () => drawn.length > 0);
    assert.deepEqual(
      drawn[0]?.entries.map(({ id }) => id),
      ['b', 'a'],
    );
    timeline.stop();
    const asked = engine().asked.length;
    timeline.renew();
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(engine().asked.length, asked);
  });

  it('presses no other button than those it has drawn', async () => {
    engine().answers.set('GET /v1/volumes/workspace-demo/snapshots', () => [snapshot('a')]);
    const timeline = make();
    timeline.start();
    await until('it is drawn', () => drawn.length > 0);
    await timeline.press({ snapshot: 'a', command: 'berth.volume.deleteSnapshot' });
    await timeline.press({ snapshot: 'a', command: 'berth.workspace.delete' });
    await timeline.press({ snapshot: 'nothing', command: 'berth.volume.deleteSnapshot' });
    await timeline.press({ snapshot: '' });
    timeline.stop();
    assert.deepEqual(standIn.executed, [
      ['berth.volume.deleteSnapshot', { type: 'snapshot', volume: 'workspace-demo', id: 'a' }],
      ['berth.volume.snapshot', 'workspace-demo'],
    ]);
  });
});
