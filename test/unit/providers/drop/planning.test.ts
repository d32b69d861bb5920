import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { standIn } from '../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { Cancelled } from '../../../../src/ui/runner';
import { chooseConflictPolicy } from '../../../../src/providers/drop/conflicts';
import { bring, dropPlace } from '../../../../src/providers/drop/controllers';
import { inParallel } from '../../../../src/providers/drop/in-parallel';
import { incomingFile, parseUriList, sortUris } from '../../../../src/providers/drop/sources';
import type { Inside, Row } from '../../../../src/providers/trees/rows';
import { failure } from '../../../support/errors';
import { entry, workspace } from '../fixtures';

describe('providers/drop', () => {
  beforeEach(() => standIn.reset());

  describe('the place that a drop goes to', () => {
    const demo = workspace('demo', { homeVolume: 'home-of-demo', state: 'running' });
    const workspaces = [
      ...[demo, workspace('resting')],
      workspace('locked', { state: 'running', homeVolume: 'home-of-locked' }),
    ];
    const store = {
      workspaces,
      workspace: (name: string) => workspaces.find((each) => each.name === name),
      allowsRootChanges: (name: string) => name !== 'locked',
    };
    const inside = (readOnly: boolean): Inside => ({ workspace: 'demo', path: '/mnt/x', readOnly });
    const file = (path: string, type: 'file' | 'directory', where?: Inside): Row => ({
      type: 'file',
      volume: 'data',
      path,
      entry: entry('x', { type }),
      ...(where && { inside: where }),
    });
    const mount = (readOnly: boolean): Row => ({
      type: 'mount',
      workspace: 'demo',
      volume: 'data',
      target: '/data',
      readOnly,
    });
    const cases: [string, Row | undefined, { volume: string; path: string } | undefined][] = [
      ['a volume: its root', { type: 'volume', name: 'data' }, { volume: 'data', path: '/' }],
      ['the files of a workspace', { type: 'root', workspace: 'demo' }, { volume: 'rootfs@demo', path: '/' }],
      ['the files of a workspace that does not run', { type: 'root', workspace: 'resting' }, undefined],
      [
        'the files of a workspace for which no changes are allowed',
        { type: 'root', workspace: 'locked' },
        undefined,
      ],
      ['a folder', file('/a/b', 'directory'), { volume: 'data', path: '/a/b' }],
      ['a file: beside it', file('/a/b.txt', 'file'), { volume: 'data', path: '/a' }],
      ['a file at the top', file('/b.txt', 'file'), { volume: 'data', path: '/' }],
      [
        'a folder that may be written',
        file('/a', 'directory', inside(false)),
        { volume: 'data', path: '/a' },
      ],
      ['a folder that is mounted read-only', file('/a', 'directory', inside(true)), undefined],
      ['a mount', mount(false), { volume: 'data', path: '/' }],
      ['a mount that is read-only', mount(true), undefined],
      [
        'the row for more of a folder',
        { type: 'more', volume: 'data', path: '/a', shown: 10, total: 20 },
        { volume: 'data', path: '/a' },
      ],
      ['a workspace: its home', { type: 'workspace', name: 'demo' }, { volume: 'home-of-demo', path: '/' }],
      ['a workspace that is gone', { type: 'workspace', name: 'gone' }, undefined],
      ['a port', { type: 'port', workspace: 'demo' }, undefined],
      ['a group', { type: 'group', key: 'x' }, undefined],
      ['no row', undefined, undefined],
    ];
    for (const [what, row, place] of cases) {
      it(what, () => assert.deepEqual(dropPlace(row, store), place));
    }
  });

  it('takes each kind of thing its own way: a drag inside a volume moves, everything else is copied', async () => {
    const done: unknown[][] = [];
    const record =
      (what: string) =>
      (...args: unknown[]): Promise<boolean> => {
        done.push([what, ...args]);
        return Promise.resolve(true);
      };
    const transfers = {
      upload: record('upload'),
      place: record('place'),
      uploadStreams: record('streams'),
    };
    const to = { volume: 'data', path: '/in' };
    const remote = vscode.Uri.parse('vscode-remote://ssh-remote+x/home/u/a.txt');
    const places = [
      { volume: 'data', path: '/a' },
      { volume: 'other', path: '/b' },
    ];
    await bring({ transfers }, { local: ['/tmp/x'], places, foreign: [remote], files: [] }, to);
    assert.deepEqual(done, [
      ['upload', ['/tmp/x'], to],
      ['place', [places[0]], to, 'move'],
      ['place', [places[1]], to, 'copy'],
      ['streams', [remote], [], to],
    ]);
    done.length = 0;
    await bring({ transfers }, { local: [], places: [], foreign: [], files: [] }, to);
    assert.deepEqual(done, []);
  });

  it('reads lists of URIs: comments, empty and bad lines are left out', () => {
    const list = '# dropped\r\nfile:///tmp/a%20b\r\n\r\n/no/scheme\nberth://data/x\nuntitled:One';
    const sources = sortUris(parseUriList(list));
    assert.deepEqual(sources.local, ['/tmp/a b']);
    assert.deepEqual(sources.places, [{ volume: 'data', path: '/x' }]);
    assert.deepEqual(
      sources.foreign.map((uri) => uri.scheme),
      ['untitled'],
    );
  });

  it('says of a folder that a browser hands over what it is', async () => {
    const data = (): Promise<Uint8Array> => Promise.reject(new Error('NotReadableError'));
    const incoming = incomingFile({ name: 'site', data });
    assert.equal(incoming.name, 'site');
    const error = await failure(() => incoming.read?.(), 'not_supported');
    assert.match(error.message, /VS Code in a browser can’t read dropped folders/);
  });

  describe('what is there already', () => {
    const conflicts = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ path: `/f${index}`, type: 'file' as const }));

    it('is not asked about when there is nothing', async () => {
      assert.equal(await chooseConflictPolicy({ conflicts: [], total: 0 }), 'fail');
      assert.deepEqual(standIn.messages, []);
    });

    for (const [button, policy] of [
      ['Replace', 'overwrite'],
      ['Skip', 'skip'],
      ['Keep Both', 'rename'],
    ] as const) {
      it(`${button}: ${policy}`, async () => {
        standIn.pressed = () => button;
        assert.equal(await chooseConflictPolicy({ conflicts: conflicts(1), total: 1 }), policy);
        assert.deepEqual(standIn.messages[0]?.text, '/f0 is there already.');
      });
    }

    it('is shown with the size and time of both, and which one is newer', async () => {
      const there = { size: 2_048, mtimeMs: Date.parse('2026-01-02T10:00:00') };
      const coming = { size: 4_096, mtimeMs: Date.parse('2026-01-03T11:30:00') };
      const conflict = { path: '/f0', type: 'file' as const, there, coming };
      await assert.rejects(chooseConflictPolicy({ conflicts: [conflict], total: 1 }), Cancelled);
      const spaced = standIn.messages[0]?.detail?.replace(/\s/g, ' ');
      assert.equal(
        spaced,
        'There: 2.0 KiB, Jan 2, 2026, 10:00 AM New: 4.0 KiB, Jan 3, 2026, 11:30 AM (newer)',
      );
    });

    it('is asked about once, with ten names and the number of the others', async () => {
      await assert.rejects(chooseConflictPolicy({ conflicts: conflicts(12), total: 3_000 }), Cancelled);
      const [message] = standIn.messages;
      assert.equal(message?.text, '3000 files or folders are there already.');
      assert.equal(message.detail?.split('\n').length, 11);
      assert.ok(message.detail.endsWith('… and 2990 more'), message.detail);
      assert.deepEqual(message.buttons, ['Keep Both', 'Skip', 'Replace All']);
    });
  });

  it('works on a few things at a time, in their order, and stops before the next one when it is cancelled', async () => {
    const abort = new AbortController();
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const working = inParallel([1, 2, 3, 4, 5, 6, 7], { atOnce: 3, signal: abort.signal }, async (each) => {
      begun.push(each);
      most = Math.max(most, ++running);
      await sleep(1);
      running -= 1;
      if (each === 4) {
        abort.abort();
      }
    });
    await assert.rejects(working, Cancelled);
    assert.equal(most, 3);
    assert.deepEqual(begun.slice(0, 4), [1, 2, 3, 4]);
    assert.ok(begun.length < 7, String(begun));
  });
});
