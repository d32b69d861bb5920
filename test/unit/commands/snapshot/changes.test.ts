import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { URI } from 'vscode-uri';
import type { Change } from '../../../../src/api';
import { openAll, openChange } from '../../../../src/commands/snapshot/open-changes';

describe('the changes between two trees', () => {
  beforeEach(() => standIn.reset());

  const side = (name: string) => ({ name, title: name, uri: URI.parse(`berth://${name}/`) });
  const sides = { before: side('first'), after: side('data') };
  const file = { type: 'file', size: 3, mode: 0o644, uid: 0, gid: 0, mtimeMs: 5 } as const;
  const change = (path: string, over: Partial<Change> = {}): Change => ({
    ...{ path, kind: 'changed', before: file, after: file, ...over },
  });
  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, n) => change(`/f${String(from + n).padStart(6, '0')}`));
  const texts = () => standIn.messages.map(({ text }) => text);

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
      await openAll(batches.flat(), sides);
      const [, title, rows] = standIn.executed[0] ?? [];
      return [title, (rows as unknown[] | undefined)?.length, texts()];
    };
    assert.deepEqual(await opened(many(200)), ['first ↔ data', 200, []]);
    const told = (all: number) => [`200 of ${all} changes are open: more at once can’t be shown.`];
    assert.deepEqual(await opened(many(201)), ['first ↔ data (200 of 201 changes)', 200, told(201)]);
    assert.deepEqual(await opened(many(12_000)), ['first ↔ data (200 of 12000 changes)', 200, told(12_000)]);
    const folder = change('/x', { kind: 'added', before: undefined, after: { ...file, type: 'directory' } });
    assert.deepEqual(await opened(many(2), [folder]), ['first ↔ data (2 of 3 changes)', 2, []]);
    const nothing = ['There is no change that an editor could show.'];
    assert.deepEqual(await opened([folder]), [undefined, undefined, nothing]);
  });
});
