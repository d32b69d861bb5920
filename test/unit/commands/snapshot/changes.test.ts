import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { URI } from 'vscode-uri';
import type { Change } from '../../../../src/api';
import { ChangeRows } from '../../../../src/commands/snapshot/change-rows';
import { openAll, openChange, reportFailure } from '../../../../src/commands/snapshot/open-changes';

describe('the changes between two trees', () => {
  beforeEach(() => standIn.reset());

  const side = (name: string) => ({ name, title: name, uri: URI.parse(`berth://${name}/`) });
  const sides = { before: side('first'), after: side('data') };
  const file = { type: 'file', size: 3, mode: 0o644, uid: 0, gid: 0, mtimeMs: 5 } as const;
  const change = (path: string, over: Partial<Change> = {}): Change => ({
    ...{ path, kind: 'changed', before: file, after: file, ...over },
  });
  const rowsOf = (...batches: Change[][]): ChangeRows => {
    const rows = new ChangeRows(() => [], { before: 'first', after: 'data' });
    batches.forEach((batch) => rows.add(batch));
    return rows;
  };
  const labels = (rows: ChangeRows) => rows.draw().map(({ label }) => label);
  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, n) => change(`/f${String(from + n).padStart(6, '0')}`));
  const texts = () => standIn.messages.map(({ text }) => text);

  it('are in the order of their paths, in whatever order they come', () => {
    let seed = 7;
    const paths = Array.from({ length: 400 }, () => `/${(seed = (seed * 48_271) % 2_147_483_647)}`);
    const batches = [paths.slice(0, 3), paths.slice(3, 90), [], paths.slice(90)];
    const rows = rowsOf(...batches.map((batch) => batch.map((path) => change(path))));
    assert.deepEqual(labels(rows), [...paths].sort());
  });

  it('are 10,000 at most, with the number of the others', () => {
    const rows = rowsOf(many(6_000), many(6_000, 6_000), many(5, 12_000));
    const drawn = rows.draw();
    assert.equal(drawn.length, 10_001);
    assert.equal(drawn.at(-1)?.label, '… and 2005 more');
    assert.match(drawn.at(-1)?.description ?? '', /berth snapshot diff/);
    assert.doesNotMatch(String(labels(rowsOf(many(10_000))).at(-1)), /more/);
  });

  it('go to the window again when there are many more, not with each one', () => {
    const rows = rowsOf();
    let draws = 0;
    for (let n = 0; n < 9_000; n++) {
      rows.add(many(1, n));
      if (rows.isDue) {
        rows.draw();
        draws++;
      }
    }
    assert.ok(draws < 45, `${draws}`);
  });

  it('begin with what could not be read, on which side and why', async () => {
    const rows = rowsOf([change('/a')]);
    const failure = { path: '/z\n', side: 'before', reason: 'I/O error' } as const;
    rows.addFailures([failure]);
    const [row] = rows.draw();
    assert.deepEqual([row?.label, row?.description], ['/z?', 'could not be read in first: I/O error']);
    assert.equal(Reflect.get(row?.iconPath ?? {}, 'id'), 'warning');
    await reportFailure(failure, sides);
    assert.deepEqual(texts(), ['first:/z? could not be read: I/O error']);
  });

  it('say each part in the language of the window', () => {
    const german = new Map([
      ['mode', 'Rechte'],
      ['owner', 'Eigentümer'],
      ['another mode, owner or attributes', 'andere Rechte'],
    ]);
    standIn.translated = (text) => german.get(text) ?? text;
    const [row] = rowsOf([change('/a', { kind: 'metadata', what: ['mode', 'owner'] })]).draw();
    assert.equal(row?.description, 'andere Rechte (Rechte, Eigentümer)');
  });

  for (const [what, over, words] of [
    [
      'a link',
      {
        before: { ...file, type: 'symlink', target: 'a' },
        after: { ...file, type: 'symlink', target: 'b\n' },
        what: ['target'],
      },
      '/x: link to a → link to b? (target)',
    ],
    [
      'a new folder',
      { kind: 'added', before: undefined, after: { ...file, type: 'directory', mode: 0o2755 } },
      '/x: nothing → folder with mode 2755 of 0:0',
    ],
    [
      'a device',
      { kind: 'removed', before: { ...file, type: 'other' }, after: undefined },
      '/x: device, socket or pipe with mode 0644 of 0:0 → nothing',
    ],
    [
      'another mode',
      { kind: 'metadata', after: { ...file, mode: 0o755, uid: 1000 }, what: ['mode', 'owner'] },
      '/x: file with mode 0644 of 0:0 → file with mode 0755 of 1000:0 (mode, owner)',
    ],
  ] as [string, Partial<Change>, string][]) {
    it(`of ${what} are told, as no editor shows them`, async () => {
      await openChange(change('/x', over), sides);
      assert.deepEqual([texts(), standIn.executed], [[words], []]);
    });
  }

  it('of a file open in an editor', async () => {
    await openChange(change('/x'), sides);
    await openChange(change('/x', { kind: 'added', before: undefined }), sides);
    assert.deepEqual(
      standIn.executed.map(([command]) => command),
      ['vscode.diff', 'vscode.changes'],
    );
    assert.deepEqual(texts(), []);
  });

  it('open all at once, and say how many of how many these are', async () => {
    const opened = async (...batches: Change[][]) => {
      standIn.reset();
      await openAll(rowsOf(...batches).opened, sides, 'title');
      const [, title, rows] = standIn.executed[0] ?? [];
      return [title, (rows as unknown[] | undefined)?.length, texts()];
    };
    assert.deepEqual(await opened(many(200)), ['title', 200, []]);
    const told = (all: number) => [`200 of ${all} changes are open: more at once can’t be shown.`];
    assert.deepEqual(await opened(many(201)), ['title (200 of 201 changes)', 200, told(201)]);
    assert.deepEqual(await opened(many(12_000)), ['title (200 of 12000 changes)', 200, told(12_000)]);
    const folder = change('/x', { kind: 'added', before: undefined, after: { ...file, type: 'directory' } });
    assert.deepEqual(await opened(many(2), [folder]), ['title (2 of 3 changes)', 2, []]);
    const nothing = ['There is no change that an editor could show.'];
    assert.deepEqual(await opened([folder]), [undefined, undefined, nothing]);
  });
});
