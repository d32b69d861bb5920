import assert from 'node:assert/strict';
import type { WorkspaceState } from '../../../../../src/api/rules/lifecycle';
import { defaultKeep } from '../../../../../src/api/snapshots/default-keep';
import {
  type AutomaticReason,
  type AutomaticSnapshots as AutomaticPolicy,
} from '../../../../../src/api/snapshots/schemas';
import { AutomaticSnapshots, notMade } from '../../../../../src/backend/services/snapshots/automatic';
import type { WorkspaceRecord } from '../../../../../src/backend/services/workspaces/record';
import { silentLog } from '../../../../support/engine/engine';
import { FakeClock } from '../../../../support/fakes/fake-clock';
import { turns } from '../../../../support/wait';

const minute = 60_000;

describe('services/snapshots/automatic', () => {
  let demo: WorkspaceRecord | undefined;
  let clock: FakeClock;
  let automatic: AutomaticSnapshots;
  let made: { volume: string; reason: AutomaticReason; createdAt: string }[];
  let thinned: { volume: string; policy: object }[];
  let failing: Error | undefined;
  /** One that takes long: resolves when it is to go on. */
  let slow: Promise<void> | undefined;

  function prepare(snapshots: AutomaticPolicy, volumes: string[] = []): void {
    [clock, made, thinned, failing, slow] = [new FakeClock(), [], [], undefined, undefined];
    demo = recordOf(snapshots, volumes, new Date(clock.now()).toISOString());
    const change = (patch: Partial<WorkspaceRecord>): WorkspaceRecord => (demo = { ...known(), ...patch });
    automatic = new AutomaticSnapshots({
      ...{ clock, log: silentLog },
      registry: {
        all: () => (demo === undefined ? [] : [demo]),
        find: () => demo,
        warn: (_, problem) => Promise.resolve(void change({ warnings: [problem] })),
        update: (_, patch) => Promise.resolve(change(patch)),
      },
      records: {
        of: (volume) => made.filter((each) => each.volume === volume).reverse() as never,
      },
      take: async (volume, reason) => {
        if (failing) throw failing;
        const createdAt = new Date(clock.now()).toISOString();
        await slow;
        made.push({ volume, reason, createdAt });
      },
      thin: (volume, policy) => Promise.resolve(void thinned.push({ volume, policy })),
    });
    automatic.begin();
    automatic.lookAtAll();
  }

  const known = (): WorkspaceRecord => {
    assert.ok(demo);
    return demo;
  };
  const pass = async (minutes: number): Promise<void> => {
    await clock.pass(minutes * minute);
    await turns(20);
  };
  async function become(state: WorkspaceState): Promise<void> {
    demo = { ...known(), state };
    automatic.look('demo');
    await turns(20);
  }
  const reasons = (): string[] => made.map(({ reason }) => reason);
  const warnings = (): string[] => known().warnings.map(({ code }) => code);

  it('are made by the clock while the workspace runs, and once more for what was written before it rests', async () => {
    prepare({ every: 60 });
    await pass(59);
    assert.deepEqual(reasons(), []);
    await pass(2);
    assert.deepEqual(reasons(), ['schedule']);
    await pass(300);
    assert.equal(made.length, 6);
    await become('paused');
    await pass(600);
    assert.equal(made.length, 7);
    await become('running');
    await become('stopped');
    await pass(600);
    assert.equal(made.length, 8);
    assert.equal(automatic.isWatching, false);
    assert.equal(clock.pending, 0, 'nothing left to wait for');
    assert.deepEqual(thinned[0], { volume: 'workspace-demo', policy: defaultKeep });
  });

  it('are never closer than five minutes', async () => {
    prepare({ every: 0.01 });
    await pass(21);
    assert.equal(made.length, 4);
  });

  it('are made at each stop, of the home and of what else it writes to', async () => {
    const keep = { keepLast: 3 };
    prepare({ atStop: true, keep }, ['data', 'docs:ro']);
    assert.equal(automatic.isWatching, false);
    await become('stopping');
    await become('stopped');
    assert.deepEqual(
      made.map(({ volume, reason }) => [volume, reason]),
      [
        ['workspace-demo', 'stop'],
        ['data', 'stop'],
      ],
    );
    assert.deepEqual(thinned.at(-1), { volume: 'data', policy: keep });
    await become('archiving');
    await become('archived');
    assert.equal(made.length, 2, 'nothing ran meanwhile');
    await become('running');
    await become('archived');
    assert.equal(made.length, 4);
  });

  it('are made of one that was found stopped, and of one that stops while one is being made', async () => {
    prepare({ atStop: true, every: 60 });
    await become('stopped');
    assert.deepEqual(reasons(), ['stop']);
    await become('running');
    let goOn = (): void => undefined;
    slow = new Promise((resolve) => (goOn = resolve));
    const passing = pass(61);
    await turns(20);
    await become('stopped');
    goOn();
    await passing;
    assert.deepEqual(reasons(), ['stop', 'schedule', 'stop']);
  });

  it('warn where one was not made, try again, and take the warning back', async () => {
    prepare({ every: 60 });
    failing = new Error('no room');
    await pass(61);
    assert.deepEqual(warnings(), [notMade]);
    assert.match(known().warnings[0]?.message ?? '', /workspace-demo: .*no room/);
    failing = undefined;
    await pass(8);
    assert.deepEqual(reasons(), []);
    await pass(2);
    assert.deepEqual(reasons(), ['schedule']);
    assert.deepEqual(warnings(), []);
  });

  it('are tried again after a stop alone, also by the next engine where this one was killed', async () => {
    prepare({ atStop: true });
    failing = new Error('no room');
    await become('stopped');
    assert.deepEqual([warnings(), known().isSnapshotDue, automatic.isWatching], [[notMade], true, true]);
    failing = undefined;
    await pass(11);
    assert.deepEqual([reasons(), warnings(), known().isSnapshotDue], [['stop'], [], undefined]);
    await pass(60);
    assert.deepEqual([reasons(), clock.pending], [['stop'], 0]);

    await become('running');
    slow = new Promise(() => undefined);
    await become('stopped');
    automatic.close();
    const left = known();
    assert.equal(left.isSnapshotDue, true);
    prepare({ atStop: true });
    demo = left;
    automatic.begin();
    automatic.lookAtAll();
    await pass(1);
    assert.deepEqual([reasons(), known().isSnapshotDue], [['stop'], undefined]);
  });

  it('go on when the clock is set back', async () => {
    prepare({ every: 60 });
    await pass(61);
    clock.set(-10 * 24 * 60 * minute);
    await become('running');
    await pass(122);
    assert.ok(made.length >= 2, `${made.length} made`);
  });

  it('are left to nobody when the workspace is gone, or does not want any', async () => {
    prepare({ every: 60, atStop: true });
    demo = { ...known(), spec: { ...known().spec, snapshots: { every: 0, atStop: false } } };
    automatic.look('demo');
    assert.equal(clock.pending, 0);
    await become('stopped');
    await pass(120);
    assert.deepEqual(reasons(), []);
    demo = undefined;
    automatic.look('demo');
    assert.equal(automatic.isWatching, false);
  });
});

/** A running one, with its home and these volumes (`name` or `name:ro`). */
function recordOf(snapshots: AutomaticPolicy, volumes: string[], now: string): WorkspaceRecord {
  const mounts = volumes.map((text) => {
    const [source = '', mode] = text.split(':');
    return { kind: 'volume' as const, source, target: `/${source}`, readOnly: mode === 'ro' };
  });
  return {
    ...{ name: 'demo', label: 'demo', state: 'running', createdAt: now, lastUsedAt: now, startedAt: now },
    ...{
      homeVolume: 'workspace-demo',
      runtimeName: 'workspace-demo',
      sshPort: 22022,
      warnings: [],
      steps: [],
    },
    spec: { runtime: 'container', image: 'workspace:latest', mounts, snapshots },
  } as unknown as WorkspaceRecord;
}
