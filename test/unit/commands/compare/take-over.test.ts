import assert from 'node:assert/strict';
import { URI } from 'vscode-uri';
import { standIn } from '../../../support/vscode/stand-in';
import type { Change, TakeOverResult } from '../../../../src/api';
import type { TakeOverCreate } from '../../../../src/api/files/take-over';
import { ChangeNodes } from '../../../../src/commands/compare/change-nodes';
import { takeOver } from '../../../../src/commands/compare/take-over';
import { takenAgain, takenTo } from '../../../../src/commands/compare/taken';
import { compareSnapshots } from '../../../../src/commands/snapshot/compare';
import { Cancelled, Runner } from '../../../../src/ui/runner';
import { useRecordedEngine, type Asked } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { operation, volume } from '../../providers/fixtures';

const file = { type: 'file', size: 3, mode: 0o644, uid: 0, gid: 0, mtimeMs: 5 } as const;
const folder = { ...file, type: 'directory' } as const;
const added = (path: string, after: NonNullable<Change['after']> = file): Change => ({
  ...{ path, kind: 'added' },
  after,
});
const left = (...paths: string[]) =>
  paths.map((path) => ({ path, why: 'target', reason: 'it is there by now' }) as const);

describe('commands/compare/take-over', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();
  const all = [added('/new', folder), added('/new/in'), added('/one')];

  /** Each take-over ends as its own one of `ends`. */
  async function take(
    ...ends: (Partial<TakeOverResult> | 'before' | 'half-way')[]
  ): Promise<TakeOverCreate[]> {
    const { store, link, log } = unlinked();
    link.client = () => Promise.resolve(engine().client);
    const changes = new ChangeNodes();
    changes.add(all);
    const side = (name: string) => ({ name, title: name, uri: URI.parse(`berth://${name}/`) });
    const shown = { sides: { before: side('source'), after: side('fork') }, changes };
    const comparison = { shown, again: () => Promise.resolve() } as never;
    const { answers, asked } = engine();
    const made = { kind: 'snapshot.create', status: 'succeeded', result: { snapshot: 'kept' } } as const;
    answers.set('GET /v1/volumes/source', () => volume('source'));
    answers.set('GET /v1/volumes/source/snapshots', () => []);
    answers.set('POST /v1/volumes/source/snapshots', () => operation('s', made));
    answers.set('POST /v1/takeovers', () => {
      const end = ends.shift() ?? {};
      if (typeof end === 'object') {
        const result = { taken: 0, removed: 0, bytes: 0, left: [], leftInAll: end.left?.length ?? 0, ...end };
        return operation('t', { kind: 'takeover', status: 'succeeded', result });
      }
      const step = { title: '', startedAt: '2026-01-01T00:00:00Z', outcome: 'failed' } as const;
      const steps = end === 'before' ? [] : [{ ...step, name: 'place' }];
      const error = { code: 'no_space', message: 'The volume is full.' } as const;
      const failed = operation('t', { kind: 'takeover', status: 'failed', steps, error });
      answers.set('GET /v1/operations/t', () => failed);
      return { ...failed, status: 'running' };
    });
    await takeOver({ runner: new Runner(link, store, log), link, log, comparison }, 'left')(
      undefined,
      undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const isTakeOver = ({ route }: Asked): boolean => route.startsWith('POST /v1/takeovers');
    return asked.filter(isTakeOver).map(({ body }) => body as TakeOverCreate);
  }
  const press =
    (...titles: string[]) =>
    ({ buttons }: { buttons: string[] }) =>
      buttons.find((each) => titles.includes(each));
  const lastText = (): string => standIn.messages.at(-1)?.text ?? '';

  it('offers to undo what was done before it failed half-way, and says why it ended', async () => {
    standIn.pressed = press('Take Over', 'Undo');
    const [first, undo] = await take('half-way', { removed: 2 });
    assert.deepEqual([first?.from.volume, undo?.from.volume], ['fork', 'snapshot@kept']);
    assert.equal(
      undo?.changes.every(({ from }) => from === undefined),
      true,
    );
    assert.deepEqual(undo.changes.map(({ path }) => path).sort(), ['/new', '/new/in', '/one']);
    const [, said] = standIn.messages;
    assert.equal(said?.text, 'Not all was taken over to source; what was by then stays. The volume is full.');
    assert.equal(lastText(), 'source is as it was.');
  });

  it('only fails where it has changed nothing', async () => {
    standIn.pressed = press('Take Over', 'Undo');
    assert.equal((await take('before')).length, 1);
    assert.equal(lastText(), 'Taking changes over to source: The volume is full.');
  });

  it('asks for all of a new folder again that is to be overwritten', async () => {
    standIn.pressed = press('Take Over', 'Overwrite These…', 'Overwrite');
    const [, again] = await take({ taken: 1, left: left('/new'), leftInAll: 2 });
    assert.equal(again?.overwrite, true);
    assert.deepEqual(
      again.changes.map(({ path }) => path),
      ['/new', '/new/in'],
    );
    const taken = takenTo('left', all);
    assert.deepEqual(takenAgain(taken, new Set(['/one'])), taken.slice(2));
  });

  it('refuses to compare a snapshot with itself', async () => {
    const { store, link, log } = unlinked();
    link.client = () => Promise.resolve(engine().client);
    const kept = {
      id: 'k',
      volume: 'data',
      name: 'kept',
      createdAt: '2026-01-01T00:00:00Z',
      usedBytes: 1,
      reason: 'manual',
    };
    engine().answers.set('GET /v1/volumes/data/snapshots', () => [kept]);
    standIn.chosen = ([only]) => only;
    const none = undefined as never;
    const services = { store, link, runner: new Runner(link, store, log), targets: none, comparison: none };
    await assert.rejects(compareSnapshots(services)('data', undefined), Cancelled);
    assert.equal(lastText(), 'Both are the snapshot kept: choose another one.');
  });
});
