import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { standIn } from '../../../../support/vscode/stand-in';
import { workspaceStates } from '../../../../../src/api/rules/lifecycle';
import type { Volume, Workspace, WorkspaceStats } from '../../../../../src/api';
import type { EngineClient } from '../../../../../src/client/engine-client';
import { panelFacts } from '../../../../../src/commands/workspace/panel/facts';
import { LogTail } from '../../../../../src/commands/workspace/panel/log-tail';
import { panelHtml } from '../../../../../src/commands/workspace/panel/page';
import { recent, seriesOf, windowMs, type Sample } from '../../../../../src/commands/workspace/panel/series';
import { PanelWatch } from '../../../../../src/commands/workspace/panel/watch';
import { until } from '../../../../support/wait';
import { volume, workspace } from '../../../providers/fixtures';

const mebibyte = 1024 ** 2;

describe('the panel of a workspace', () => {
  beforeEach(() => standIn.reset());

  describe('what it shows of the record', () => {
    const titles = (more: Partial<Workspace>): string[] =>
      panelFacts(workspace('demo', more), () => undefined).buttons.map(({ title }) => title);

    it('begins with the button that people came for', () => {
      assert.equal(titles({ state: 'running' })[0], 'Open');
      assert.equal(titles({ state: 'stopped' })[0], 'Start');
      assert.equal(titles({ state: 'paused' })[0], 'Resume');
      assert.equal(titles({ state: 'archived' })[0], 'Restore');
      assert.equal(titles({ state: 'error' })[0], 'Recover');
    });

    it('offers nothing that a protected one refuses, and says that it is protected', () => {
      assert(titles({ state: 'stopped' }).includes('Archive'));
      assert(!titles({ state: 'stopped', protected: true }).includes('Archive'));
      const { facts } = panelFacts(workspace('demo', { protected: true }), () => undefined);
      assert.equal(new Map(facts).get('Protected'), 'from delete, rebuild and archive');
    });

    it('has no button twice, in whatever state', () => {
      for (const state of workspaceStates) {
        const all = titles({ state });
        assert.deepEqual(all, [...new Set(all)], state);
      }
    });

    it('measures volumes by their sizes, and says where they are mounted', () => {
      const found = volume('workspace-demo', { sizeMiB: 1024, usedBytes: 256 * mebibyte });
      const mounts = [{ kind: 'volume' as const, source: 'data', target: '/data', readOnly: true }];
      const spec = { ...workspace('demo').spec, mounts };
      const { volumes } = panelFacts(workspace('demo', { spec }), (name) =>
        name === found.name ? found : undefined,
      );
      assert.deepEqual(volumes, [
        {
          name: 'workspace-demo',
          title: 'Home',
          place: '/home/workspace',
          used: '256 MiB of 1.0 GiB',
          share: 0.25,
        },
        { name: 'data', title: 'data', place: '/data, read-only', used: 'not measured yet' },
      ]);
    });

    it('measures a home without a size by the largest volume', () => {
      const home = volume('workspace-demo', { usedBytes: mebibyte });
      const find = (name: string) => (name === home.name ? home : undefined);
      const shareWith = (...others: Volume[]) =>
        panelFacts(workspace('demo'), find, others).volumes[0]?.share;
      assert.equal(shareWith(volume('data', { usedBytes: 4 * mebibyte }), volume('unknown')), 0.25);
      assert.equal(shareWith(), 1);
      assert.equal(
        panelFacts(workspace('demo'), () => volume('workspace-demo')).volumes[0]?.share,
        undefined,
      );
    });

    it('has a link for each port that has an address, and none for one that has none yet', () => {
      const ports = [{ host: 18_080, guest: 8080 }, { guest: 9000 }];
      const { ports: links } = panelFacts(
        workspace('demo', { spec: { ...workspace('demo').spec, ports } }),
        () => undefined,
      );
      assert.deepEqual(links, [{ host: 18_080, words: '8080 inside, 127.0.0.1:18080 here' }]);
    });

    it('says what is wrong, and what should be known', () => {
      const problem = { code: 'gone', message: 'The container is gone.' } as const;
      const warnings = [{ code: 'clone', message: 'Submodules did not come.' }];
      const { problems } = panelFacts(workspace('demo', { problem, warnings }), () => undefined);
      assert.deepEqual(problems, ['The container is gone.', 'Submodules did not come.']);
    });
  });

  describe('what it draws of the last minutes', () => {
    const now = 1_000_000_000;
    const sample = (secondsAgo: number, more: Partial<Sample> = {}): Sample => ({
      ...{ atMs: now - secondsAgo * 1000, cpuPercent: 50, memoryBytes: 100 * mebibyte, pids: 3 },
      ...{ memoryLimitBytes: 0, networkRxBytes: 0, networkTxBytes: 0, ...more },
    });
    const find = (samples: readonly Sample[], id: string) =>
      seriesOf(samples, { cpus: 2, memoryMiB: 200 }, now).find((each) => each.id === id) ?? assert.fail(id);

    it('measures CPU and memory by their limits', () => {
      assert.deepEqual(find([sample(0)], 'cpu').lines, [[[[1, 0.25]]]]);
      assert.deepEqual(find([sample(0)], 'memory').lines, [[[[1, 0.5]]]]);
      assert.equal(find([sample(0)], 'memory').now, '100 MiB of 200 MiB');
    });

    it('draws nothing where nothing was measured', () => {
      const parts = find([sample(100), sample(98), sample(4), sample(2)], 'cpu').lines[0];
      assert.deepEqual(
        parts?.map(({ length }) => length),
        [2, 2],
      );
    });

    it('makes rates of what was received and sent, and none below zero after a start', () => {
      const samples = [
        sample(6, { networkRxBytes: 5_000_000 }),
        sample(4, { networkRxBytes: 0 }),
        sample(2, { networkRxBytes: 40_960, networkTxBytes: 20_480 }),
      ];
      const network = find(samples, 'network');
      assert.equal(network.now, '20 KiB/s in, 10 KiB/s out');
      assert.deepEqual(
        network.lines.map((parts) => parts.flat().map(([, y]) => y)),
        [
          [0, 1],
          [0, 0.5],
        ],
      );
    });

    it('stays within the drawing, whatever is measured', () => {
      const samples = [sample(windowMs / 1000 + 5), sample(0, { cpuPercent: 9_999, memoryBytes: 1e15 })];
      for (const { lines } of seriesOf(samples, { cpus: 1, memoryMiB: 1 }, now)) {
        for (const [x, y] of lines.flat(2)) {
          assert.ok(x >= 0 && x <= 1 && y >= 0 && y <= 1, `${x}, ${y}`);
        }
      }
      assert.equal(recent(samples, now).length, 1);
    });
  });

  describe('the last lines of its log', () => {
    it('are the newest, without what a terminal would do with them', () => {
      const tail = new LogTail();
      tail.push(Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join(''));
      tail.push('\x1b[31mred\x1b[0m\x07 text\r\n10 %\r20 %\r');
      const { lines } = tail;
      assert.equal(lines.length, 12);
      assert.deepEqual(lines.slice(-3), ['line 29', 'red text', '20 %']);
    });

    it('are short, however long a line is', () => {
      const tail = new LogTail();
      for (let n = 0; n < 100; n += 1) tail.push('x'.repeat(10_000));
      assert.ok(tail.lines.join('').length <= 500);
    });
  });

  it('loads its own style and script, and nothing that a label says', () => {
    const addresses = {
      styles: ['/page.css'],
      scripts: ['/page.js'],
      source: 'https://page',
      nonce: 'n0nce',
    };
    const page = panelHtml('"><img src=x>', addresses);
    assert.ok(!page.includes('<img'), page);
    assert.match(
      page,
      /default-src &#39;none&#39;; style-src https:\/\/page; script-src &#39;nonce-n0nce&#39;/,
    );
    for (const file of ['page.css', 'page.js']) {
      assert.ok(existsSync(join(__dirname, '../../../../../../media/panel', file)), file);
    }
  });

  it('asks for nothing any more once it is hidden, and goes on with what it had', async () => {
    let stats = 0;
    const streams: PassThrough[] = [];
    const call = (): Promise<WorkspaceStats> => {
      stats += 1;
      return Promise.resolve({
        ...{ cpuPercent: 1, memoryBytes: 1, memoryLimitBytes: 1, pids: 1, networkRxBytes: 0 },
        ...{ networkTxBytes: 0, at: new Date().toISOString() },
      });
    };
    const logs = (_name: string, { signal }: { signal: AbortSignal }) => {
      const stream = new PassThrough({ signal });
      stream.on('error', () => undefined);
      stream.write('hello\n');
      streams.push(stream);
      return Promise.resolve(stream);
    };
    let samples: readonly Sample[] = [];
    let lines: readonly string[] = [];
    const watch = new PanelWatch({
      client: () => Promise.resolve({ call, logs } as unknown as EngineClient),
      workspace: () => workspace('demo', { state: 'running' }),
      sampled: (all) => (samples = all),
      logged: (all) => (lines = all),
    });
    watch.start();
    await until('it was measured', () => samples.length === 1 && lines.length === 1);
    watch.stop();
    await until('the log is left', () => streams.every(({ destroyed }) => destroyed));
    const before = [stats, streams.length];
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.deepEqual([stats, streams.length], before);
    watch.start();
    await until('it is measured again', () => samples.length === 2);
    watch.stop();
  });

  it('reads the log of a workspace that does not run once, and anew when it has started', async () => {
    let asked = 0;
    let shown = workspace('demo', { state: 'stopped' });
    const logs = () => {
      asked += 1;
      return Promise.resolve(PassThrough.from(['hello\n']));
    };
    const watch = new PanelWatch({
      client: () => Promise.resolve({ logs } as unknown as EngineClient),
      workspace: () => shown,
      sampled: () => undefined,
      logged: () => undefined,
    });
    watch.start();
    await until('it was read', () => asked === 1);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    assert.equal(asked, 1);
    shown = workspace('demo', { state: 'stopped', startedAt: '2026-01-03T00:00:00Z' });
    await until('it is read again', () => asked === 2);
    watch.stop();
  });
});
