import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { EngineEvent, Operation, Volume, Workspace } from '../../../src/api';
import { formatAdoptables } from '../../../src/cli/verbs/workspace/adopt';
import { explain } from '../../../src/cli/verbs/workspace/delete';
import { formatEngine } from '../../../src/cli/verbs/engine';
import { formatImages } from '../../../src/cli/verbs/image';
import { shellName } from '../../../src/cli/format/text';
import { formatLong } from '../../../src/cli/verbs/ls';
import { findProgram, openCommand } from '../../../src/cli/verbs/workspace/open';
import { describeEvent, formatOperations } from '../../../src/cli/verbs/operations';
import { createStyle } from '../../../src/cli/terminal/style';
import { formatVolume, formatVolumes } from '../../../src/cli/volumes';
import { formatLimits, formatWorkspace, formatWorkspaces } from '../../../src/cli/workspaces';

const at = '2026-06-15T12:00:00.000Z';
const now = Date.parse(at) + 180_000;

function workspace(more: Partial<Workspace> = {}): Workspace {
  return {
    name: 'demo',
    label: 'demo',
    state: 'running',
    spec: { runtime: 'container', image: 'workspace:latest' },
    runtimeId: '0123456789abcdef',
    runtimeName: 'workspace-demo',
    homeVolume: 'workspace-demo',
    sshPort: 2200,
    sshAlias: 'berth-demo',
    createdAt: at,
    lastUsedAt: at,
    warnings: [],
    steps: [],
    operations: [],
    ...more,
  };
}

function volume(more: Partial<Volume> = {}): Volume {
  return { name: 'cache', kind: 'docker', role: 'named', managed: true, holders: [], labels: {}, ...more };
}

const operation: Operation = {
  id: '7',
  kind: 'transfer',
  title: 'Copy a\u001bb',
  status: 'failed',
  cancellable: true,
  startedAt: at,
  steps: [],
  warnings: [],
  error: { code: 'no_space', message: 'Full.' },
};

describe('cli: what is shown', () => {
  it('lists workspaces, with the label where it differs', () => {
    assert.equal(
      formatWorkspaces([workspace(), workspace({ name: 'api', label: 'The API', sshPort: 2201 })], now),
      'NAME           STATE    RUNTIME    IMAGE              SSH  USED\n' +
        'demo           running  container  workspace:latest  2200  3 minutes ago\n' +
        'api (The API)  running  container  workspace:latest  2201  3 minutes ago',
    );
    assert.match(formatWorkspaces([], now), /berth create/);
  });

  it('shows all of a workspace: limits, idle policy, mounts, troubles, steps', () => {
    const shown = formatWorkspace(
      workspace({
        state: 'error',
        stateDetail: 'the clone failed',
        spec: {
          runtime: 'container',
          image: 'x',
          env: { TOKEN_FILE: 'not to be shown', A: 'b' },
          secretNames: ['TOKEN'],
          limits: { cpus: 2, memoryMiB: 2048, pids: 100, shmMiB: 64 },
          idle: { pauseAfter: 10, stopAfter: 90, archiveAfter: 0 },
          mounts: [{ kind: 'volume', source: 'cache', target: '/cache', readOnly: true }],
        },
        problem: { code: 'x', message: 'It broke.', hint: 'Mend it.' },
        warnings: [{ code: 'y', message: 'Slow.' }],
        steps: [{ name: 'start', title: 'Start', outcome: 'done', ms: 120 }],
      }),
      now,
    );
    for (const line of [
      /^state +error: the clone failed$/m,
      /^container +workspace-demo$/m,
      /^id +0123456789ab$/m,
      /^volume +cache at \/cache \(read-only\)$/m,
      /^env +A, TOKEN_FILE$/m,
      /^secrets +TOKEN$/m,
      /^limits +2 CPUs, 2\.0 GiB memory, 100 processes, 64 MiB shared memory$/m,
      /^idle +paused after 10 min, stopped after 1 h 30 min$/m,
      /^step +Start: 120 ms$/m,
      /^problem +It broke\.\nhint +Mend it\.\nwarning +Slow\.$/m,
    ]) {
      assert.match(shown, line);
    }
    assert.doesNotMatch(shown, /not to be shown/);
    assert.equal(formatLimits(workspace()), 'none');
  });

  it('lists volumes with their holders', () => {
    const held = volume({
      role: 'home',
      workspace: 'demo',
      usedBytes: 2 ** 20,
      createdAt: at,
      holders: [{ runtime: 'workspace-demo', workspace: 'demo', state: 'running', readOnly: true }],
    });
    assert.equal(
      formatVolumes([held, volume({ kind: 'disk', sizeMiB: 1024 })], now),
      'NAME   KIND    FOR              SIZE     USED  USED BY                    CREATED\n' +
        'cache  docker  home of demo        -  1.0 MiB  demo (running, read-only)  3 minutes ago\n' +
        'cache  disk    named         1.0 GiB        -  -                          -',
    );
    assert.match(formatVolumes([], now), /volume create/);
    assert.match(formatVolume(volume({ managed: false }), now), /managed +made by another tool[^]*nobody$/);
  });

  it('says what a delete takes and what stays', () => {
    const mounts = [{ kind: 'volume' as const, source: 'cache', target: '/c', readOnly: false }];
    const loss = {
      workspace: workspace({ spec: { runtime: 'container', image: 'x', mounts } }),
      volumes: [volume({ name: 'workspace-demo', usedBytes: 3 * 2 ** 30 })],
    };
    const shown = explain([loss], {});
    assert.match(shown, /demo +workspace, running\n {2}workspace-demo +volume with all its files +3\.0 GiB/);
    assert.match(shown, /\nStays: cache$/);
    const withDocker = { ...loss, workspace: { ...loss.workspace, dockerVolume: 'workspace-demo-docker' } };
    assert.match(explain([withDocker], {}), /\nNot kept in the trash: images, containers and volumes of/);
    assert.doesNotMatch(explain([withDocker], { now: true }), /Not kept/);
    assert.match(explain([loss], { keepVolumes: true }), /workspace-demo +volume, stays/);
  });

  it('lists operations and images and what can be adopted', () => {
    const shown = formatOperations([operation], now);
    assert.match(shown, /7 +Copy a\?b +failed: Full\. +3 minutes ago/);
    const image = { id: 'sha256:0123456789abcdef', tags: [], sizeBytes: 10, createdAt: at, usedBy: ['demo'] };
    assert.match(formatImages([image], now), /- +0123456789ab +10 B +3 minutes ago +demo/);
    const adoptable = { name: 'old', volume: 'workspace-old', container: 'c', origin: 'ws' as const };
    assert.match(formatAdoptables([adoptable]), /old +workspace-old +c \(unknown\) +- +ws/);
  });

  it('says why a driver is not available', () => {
    const shown = formatEngine(
      {
        ...{ version: '1.0.0', protocol: 1, pid: 5, nodeVersion: 'v20', home: '/h', startedAt: at },
        ...{ rssBytes: 2 ** 26, clients: 1, operations: 0, defaultImage: 'i', setAside: ['/h/x.json'] },
        portRange: { first: 2200, last: 2400 },
        drivers: [{ runtime: 'container', available: false, message: 'No Docker.', hint: 'Start it.' }],
      },
      now,
    );
    assert.match(shown, /container +not available: No Docker\. Start it\.\nset aside +\/h\/x\.json$/);
  });

  it('describes every kind of event in a line', () => {
    const payloads: [EngineEvent['type'], unknown, RegExp][] = [
      ['workspace.changed', workspace(), /^workspace demo is running$/],
      ['workspace.deleted', { name: 'demo' }, /^workspace demo is deleted$/],
      ['volume.changed', volume(), /^volume cache changed, 0 holders$/],
      ['volume.deleted', { name: 'cache' }, /^volume cache is deleted$/],
      ['operation.changed', operation, /^operation 7 Copy a\?b: failed$/],
      ['files.changed', { volume: 'v', changes: [{ type: 'created', path: '/a' }] }, /^file v:\/a created$/],
      ['driver.changed', { runtime: 'container', available: false }, /^container driver is not available$/],
      ['reset', { reason: 'restarted' }, /^reset: restarted$/],
    ];
    for (const [type, payload, line] of payloads) {
      assert.match(describeEvent({ id: 1, type, payload } as EngineEvent), line);
    }
  });

  it('lists files long, where links lead included', () => {
    const entry = {
      name: 'l\n',
      type: 'symlink' as const,
      linkTarget: 'a',
      size: 5,
      mode: 0o777,
      uid: 0,
      gid: 1,
    };
    const look = { style: createStyle(false, true), shownName: shellName };
    const shown = formatLong([{ ...entry, mtimeMs: now, ctimeMs: now }], look);
    assert.match(shown, /lrwxrwxrwx +0:1 +5 B +\d{4}-\d\d-\d\d \d\d:\d\d +'l'\$'\\n' -> a$/);
    assert.equal(formatLong([], look), '');
  });
});

describe('cli: editors', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-editors-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('finds the first that can be run, in the order asked for', () => {
    mkdirSync(join(folder, 'a'));
    mkdirSync(join(folder, 'b', 'cursor'), { recursive: true });
    writeFileSync(join(folder, 'a', 'code'), '');
    writeFileSync(join(folder, 'a', 'codium'), '');
    chmodSync(join(folder, 'a', 'codium'), 0o755);
    const env = { PATH: [join(folder, 'none'), join(folder, 'a'), join(folder, 'b')].join(delimiter) };
    assert.equal(findProgram(['code', 'cursor', 'codium'], env), join(folder, 'a', 'codium'));
    assert.equal(findProgram(['code'], env), undefined);
    assert.equal(findProgram(['code'], {}), undefined);
  });

  it('opens over SSH', () => {
    assert.deepEqual(openCommand('code', { alias: 'berth-demo', folder: '/home/workspace/repo' }), [
      ...['code', '--remote', 'ssh-remote+berth-demo', '/home/workspace/repo'],
    ]);
  });
});
