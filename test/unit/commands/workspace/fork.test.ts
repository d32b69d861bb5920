import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import type { Operation } from '../../../../src/api';
import { forkWorkspace } from '../../../../src/commands/workspace/fork';
import { keepFork } from '../../../../src/commands/workspace/keep';
import { Runner } from '../../../../src/ui/runner';
import { Store } from '../../../../src/ui/store';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { quietLog } from '../../../support/vscode/quiet-log';
import { operation, workspace } from '../../providers/fixtures';

describe('forking and keeping workspaces', () => {
  const engine = useRecordedEngine();
  let store: Store;
  let log: ReturnType<typeof quietLog>;

  beforeEach(() => {
    standIn.reset();
    store = new Store();
    log = quietLog();
  });
  afterEach(() => store.dispose());

  const told = () => standIn.messages.map(({ kind, text }) => [kind, text]);
  const services = (name: string) => {
    const link = { client: () => Promise.resolve(engine().client) };
    const one = workspace(name, {
      forkedFrom: { workspace: 'demo', snapshot: 's', at: '2026-01-01T00:00:00Z' },
    });
    const targets = { workspace: () => Promise.resolve(one) };
    return { link, log, store, targets, runner: new Runner(link, store, log) };
  };
  const ended = (kind: string, route: string, result: Record<string, unknown>, warnings: string[]): void => {
    engine().answers.set(route, (): Operation =>
      operation('o', { kind, status: 'succeeded', result, warnings }),
    );
  };

  it('proposes a name that can be taken for a workspace whose own name is as long as one can be', async () => {
    ended('workspace.fork', 'POST /v1/workspaces/x/fork', { forks: [] }, []);
    const name = 'a'.repeat(63);
    await assert.rejects(forkWorkspace(services(name) as never)());
    assert.deepEqual(standIn.proposed, [`${'a'.repeat(58)}-fork`]);
  });

  const fork = async (failed: boolean, warnings: string[]): Promise<void> => {
    const forks = [
      { workspace: 'one', ok: true },
      ...(failed
        ? [{ workspace: 'two', ok: false, error: { code: 'no_space', message: 'It is full' } }]
        : []),
    ];
    ended('workspace.fork', 'POST /v1/workspaces/demo/fork', { forks }, warnings);
    standIn.entered = () => 'one two';
    standIn.pressed = ({ buttons }) => buttons[0];
    await forkWorkspace(services('demo') as never)();
    await new Promise(setImmediate);
  };

  it('says what the engine warned of, with the way to the log', async () => {
    await fork(false, ['Its ports are not published.', 'b', 'c', 'd']);
    assert.deepEqual(told(), [
      ['warning', 'Forked demo: one. Its ports are not published. b. c. … and 1 more'],
    ]);
    assert.ok(log.isShown);
    assert.match(log.lines.at(-1) ?? '', /\n {2}d$/);
  });

  it('says that in one message with what failed, and nothing of it where there is nothing', async () => {
    await fork(true, ['w.']);
    assert.deepEqual(told(), [['warning', 'Made 1 of 2 forks. two: It is full. w.']]);
    standIn.reset();
    await fork(false, []);
    assert.deepEqual(told(), [['info', 'Forked demo: one']]);
  });

  for (const { imageBefore, warnings, kind, words } of [
    { warnings: [], kind: 'info', words: /brings back what it had\.$/ },
    {
      imageBefore: 'demo:before',
      warnings: [],
      kind: 'info',
      words: /had\. “Rebuild.* with demo:before brings/,
    },
    {
      imageBefore: 'demo:before',
      warnings: ['w.'],
      kind: 'warning',
      words: /demo:before brings .*volumes\. w\.$/,
    },
  ]) {
    it(`names the image ${imageBefore ?? 'of none'}, and ${warnings.length} warnings`, async () => {
      const result = { workspace: 'demo', before: [], deleted: [], notDeleted: [], imageBefore };
      ended('workspace.keep', 'POST /v1/workspaces/one/keep', result, warnings);
      standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Keep, Delete No Fork');
      await keepFork(services('one') as never)();
      const [, [shownKind, text] = []] = told();
      assert.equal(shownKind, kind);
      assert.match(text ?? '', words);
    });
  }
});
