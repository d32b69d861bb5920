import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import '../../../support/vscode/stand-in';
import type { Image, Snapshot } from '../../../../src/api';
import type { EngineClient } from '../../../../src/client/engine-client';
import {
  measurable,
  shownAtFirst,
  storageFacts,
  type SectionId,
  type StorageInput,
  type StorageSection,
} from '../../../../src/commands/storage/facts';
import { Measuring } from '../../../../src/commands/storage/measuring';
import { storageHtml } from '../../../../src/commands/storage/page';
import { Store } from '../../../../src/ui/store';
import { volume, workspace } from '../../providers/fixtures';

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

const image = (id: string, more: Partial<Image> = {}): Image => ({
  ...{ id: `sha256:${id}`, tags: [id], sizeBytes: gibibyte, createdAt: '2026-01-01T00:00:00Z', usedBy: [] },
  ...more,
});
const facts = (more: Partial<StorageInput> = {}) =>
  storageFacts({
    ...{ volumes: [], workspaces: [], images: { list: [] }, disk: undefined, showsForeign: true },
    ...{ whole: new Set<SectionId>(), ...more },
  });
const snapshot = (of: string, more: Partial<Snapshot> = {}): Snapshot => ({
  ...{ id: '0123456789ab', volume: of, kind: 'disk', reason: 'manual', createdAt: '2026-01-02T00:00:00Z' },
  ...{ usedBytes: gibibyte, heldBytes: gibibyte, isShared: false, heldMs: 1, ...more },
});
const section = (id: SectionId, more: Partial<StorageInput>): StorageSection =>
  facts(more).sections.find((each) => each.id === id) ?? assert.fail(`no section ${id}`);

describe('the page of storage', () => {
  it('shows what is made again when needed, the largest first, and what of it nothing uses', () => {
    const cache = { path: '/state/x', count: 1 };
    const caches = [
      { ...cache, id: 'guest-kits' as const, bytes: 64 * mebibyte, freeableBytes: 0 },
      { ...cache, id: 'templates' as const, bytes: 256 * mebibyte, freeableBytes: 256 * mebibyte },
      { ...cache, id: 'root-images' as const, bytes: 0, freeableBytes: 0 },
    ];
    const { bars, summary, clean } = section('caches', { caches });
    assert.deepEqual([summary, clean], ['320 MiB · 256 MiB not in use', 'Clean Up…']);
    assert.deepEqual(
      bars.map(({ id, share, detail }) => [id, share, detail]),
      [
        ['templates', 1, 'not in use: 256 MiB · /state/x'],
        ['guest-kits', 0.25, 'in use, or for the next start · /state/x'],
      ],
    );
    assert.equal(section('caches', { caches: caches.slice(0, 1) }).clean, undefined);
    assert.ok(facts().sections.every(({ id }) => id !== 'caches'));
  });

  it('shows volumes by size, those of others apart, and images, all as shares of the largest', () => {
    const input = {
      workspaces: [workspace('demo', { label: 'Demo' })],
      volumes: [
        volume('old', { role: 'foreign', managed: false, usedBytes: 512 * mebibyte }),
        volume('data', { usedBytes: 256 * mebibyte }),
        volume('unknown'),
        volume('workspace-demo', { role: 'home', workspace: 'demo', usedBytes: 512 * mebibyte }),
      ],
      images: { list: [image('unused:1'), image('base:1', { usedBy: ['demo'], sizeBytes: 512 * mebibyte })] },
    };
    const { sections } = facts(input);
    assert.deepEqual(
      sections.map(({ id, bars }) => [id, ...bars.map(({ title, share }) => `${title} ${share ?? '?'}`)]),
      [
        ['volumes', 'demo 0.5', 'data 0.25', 'unknown ?'],
        ['images', 'base:1 0.5', 'unused:1 1'],
        ['foreign', 'old 0.5'],
      ],
    );
    const { bars, summary } = section('volumes', input);
    assert.equal(summary, '3 volumes · 768 MiB · 1 not measured yet');
    assert.deepEqual(
      bars.map(({ amount, detail }) => [amount, detail]),
      [
        ['512 MiB', 'home'],
        ['256 MiB', 'Docker volume'],
        ['not measured yet', 'Docker volume'],
      ],
    );
    assert.deepEqual(bars[0]?.workspace, { name: 'demo', words: 'Panel of Demo' });
    assert.match(section('images', input).bars[0]?.detail ?? '', /used by demo/);
  });

  it('shows what snapshots take, by volume, the largest first, as what they are of is called', () => {
    const { bars, summary } = section('snapshots', {
      workspaces: [workspace('demo')],
      volumes: [
        volume('scratch', { kind: 'disk', usedBytes: 4 * gibibyte }),
        volume('workspace-demo', { kind: 'disk', role: 'home', workspace: 'demo' }),
      ],
      snapshots: [
        snapshot('scratch', { isShared: true }),
        snapshot('workspace-demo', { createdAt: '2026-01-03T00:00:00Z' }),
        snapshot('workspace-demo'),
      ],
    });
    assert.equal(summary, '3 snapshots · 3.0 GiB');
    assert.deepEqual(
      bars.map(({ id, title, amount, share }) => [id, title, amount, share]),
      [
        ['workspace-demo', 'demo', '2.0 GiB', 0.5],
        ['scratch', 'scratch', '1.0 GiB', 0.25],
      ],
    );
    assert.match(bars[0]?.detail ?? '', /^2 snapshots · the last one of .*3/);
    assert.match(bars[1]?.detail ?? '', /^1 snapshot · .* · unchanged blocks count in each$/);
    assert.ok(facts().sections.every(({ id }) => id !== 'snapshots'));
  });

  it('says how large a disk is, how full, and by whom it is used', () => {
    const mounts = [{ kind: 'volume' as const, source: 'scratch', target: '/scratch', readOnly: false }];
    const spec = { ...workspace('demo').spec, mounts };
    const disk = volume('scratch', { kind: 'disk', sizeMiB: 1024 });
    const [bar] = section('volumes', { volumes: [disk], workspaces: [workspace('demo', { spec })] }).bars;
    assert.equal(bar?.amount, 'up to 1.0 GiB, not measured yet');
    assert.equal(bar.detail, 'disk · used by demo');
    const measured = { ...disk, usedBytes: 256 * mebibyte };
    assert.equal(section('volumes', { volumes: [measured] }).bars[0]?.amount, '256 MiB of 1.0 GiB');
  });

  it('draws the largest of many and sums up the others, until all are asked for', () => {
    const volumes = Array.from({ length: 200 }, (_, n) => volume(`v${n}`, { usedBytes: (n + 1) * mebibyte }));
    const { bars, more } = section('volumes', { volumes });
    assert.equal(bars.length, shownAtFirst);
    assert.equal(bars[0]?.title, 'v199');
    assert.deepEqual(more, { title: `Show ${200 - shownAtFirst} others`, amount: '17 GiB' });
    const whole = section('volumes', { volumes, whole: new Set(['volumes']) });
    assert.deepEqual([whole.bars.length, whole.more], [200, undefined]);
    // One row for one row is no gain.
    assert.equal(section('volumes', { volumes: volumes.slice(0, shownAtFirst + 1) }).more, undefined);
  });

  it('shows what archived workspaces have set aside, and nothing of others', () => {
    const ownFiles = (bytes: number) => ({ bytes, measuredAt: '2026-01-03T00:00:00Z' });
    const workspaces = [
      workspace('small', { state: 'archived', ownFiles: ownFiles(mebibyte) }),
      workspace('large', { state: 'archived', label: 'Large', ownFiles: ownFiles(4 * mebibyte) }),
      workspace('restored', { state: 'running', ownFiles: ownFiles(gibibyte) }),
      workspace('unknown', { state: 'archived' }),
    ];
    const { bars, summary } = section('archives', { workspaces });
    assert.equal(summary, '2 workspaces · 5.0 MiB outside of volumes');
    assert.deepEqual(
      bars.map(({ id, title, amount, share }) => [id, title, amount, share]),
      [
        ['large', 'Large', '4.0 MiB', 1],
        ['small', 'small', '1.0 MiB', 0.25],
      ],
    );
    assert.ok(facts().sections.every(({ id }) => id !== 'archives'));
  });

  it('says so where there is nothing, and why no image is known', () => {
    const problem = 'Docker does not answer.';
    const { sections, isEmpty } = facts({ images: { problem } });
    assert.equal(isEmpty, true);
    assert.deepEqual(
      sections.map(({ summary, bars, measure }) => [summary, bars.length, measure]),
      [
        ['There is no volume yet.', 0, undefined],
        [problem, 0, undefined],
      ],
    );
  });

  it('leaves out what others made where a setting hides it', () => {
    const volumes = [volume('old', { role: 'foreign', managed: false, usedBytes: gibibyte })];
    const { sections, isEmpty } = facts({ volumes, showsForeign: false });
    assert.deepEqual([sections.map(({ id }) => id), isEmpty], [['volumes', 'images'], true]);
  });

  it('names the disk, and that of another machine, at which nobody looked', () => {
    const of = (freeBytes: number, others: string[] = []) =>
      facts({ disk: { path: '/home/u/.berth', freeBytes, totalBytes: 100 * gibibyte, others } }).disk;
    assert.deepEqual(of(25 * gibibyte), {
      ...{ words: '25 GiB free of 100 GiB', detail: 'The disk of /home/u/.berth', share: 0.75, isLow: false },
    });
    assert.equal(of(gibibyte)?.isLow, true);
    assert.match(of(gibibyte, ['box'])?.detail ?? '', /That of box, with its images and volumes/);
  });

  it('measures what is unknown first, all again after that, and nothing of another installation', () => {
    const theirs = volume('theirs', { owner: { installation: 'other' } });
    const all = [volume('a', { usedBytes: 1 }), volume('b'), theirs];
    const named = (volumes: typeof all): string[] => measurable(volumes, 'volumes').map(({ name }) => name);
    assert.deepEqual(named(all), ['b']);
    assert.deepEqual(named(all.slice(0, 1)), ['a']);
    assert.deepEqual(measurable(all, 'foreign'), []);
    assert.deepEqual(measurable(all, 'images'), []);
    assert.equal(section('volumes', { volumes: all }).measure, 'Measure');
    assert.equal(section('volumes', { volumes: all.slice(0, 1) }).measure, 'Measure Again');
    assert.equal(section('foreign', { volumes: all }).measure, undefined);
  });

  it('loads its own style and scripts, and nothing else', () => {
    const page = storageHtml({
      ...{ styles: ['/page.css'], scripts: ['/base.js', '/page.js'], source: 'https://page', nonce: 'n0nce' },
    });
    assert.equal(page.match(/<script nonce="n0nce"/g)?.length, 2);
    assert.equal(page.match(/<script/g)?.length, 2);
    for (const file of ['storage/page.css', 'storage/page.js', 'page/base.js']) {
      assert.ok(existsSync(join(__dirname, '../../../../../media', file)), file);
    }
  });
});

describe('measuring all volumes of a section', () => {
  const setUp = (answer: (name: string, signal: AbortSignal) => Promise<number>) => {
    const store = new Store();
    const volumes = ['a', 'b', 'c'].map((name) => volume(name));
    store.loadSnapshot({ workspaces: [], volumes, operations: [], drivers: [] });
    const call = async (_: string, { params, signal }: { params: { volume: string }; signal: AbortSignal }) =>
      volume(params.volume, { usedBytes: await answer(params.volume, signal) });
    const seen: string[] = [];
    const measuring = new Measuring({
      ...{ store, client: () => Promise.resolve({ call } as unknown as EngineClient) },
      log: { warn: () => undefined },
      changed: () =>
        seen.push(measuring.now === undefined ? 'end' : `${measuring.now.name} ${measuring.now.at}`),
    });
    const run = () => measuring.run(['a', 'b', 'c']);
    const sizes = () => store.volumes.map(({ usedBytes }) => usedBytes);
    return { measuring, run, seen, sizes };
  };

  it('goes on after one that fails, and names it', async () => {
    const { measuring, run, seen, sizes } = setUp((name) =>
      name === 'b' ? Promise.reject(new Error('unreadable')) : Promise.resolve(5),
    );
    await run();
    assert.deepEqual(sizes(), [5, undefined, 5]);
    assert.deepEqual(seen, ['a 1', 'b 2', 'c 3', 'end']);
    assert.deepEqual(measuring.failed, ['b']);
  });

  it('stops when it is cancelled, keeps what is known, and can begin again', async () => {
    const { measuring, run, seen, sizes } = setUp((name, signal) =>
      name === 'b' && !seen.includes('end')
        ? new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
            measuring.cancel();
          })
        : Promise.resolve(5),
    );
    await run();
    assert.deepEqual(sizes(), [5, undefined, undefined]);
    assert.deepEqual(measuring.failed, []);
    await run();
    assert.deepEqual(sizes(), [5, 5, 5]);
  });
});
