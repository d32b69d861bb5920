import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { removePort } from '../../../../src/commands/port/remove';
import { Targets } from '../../../../src/commands/targets';
import type { Row } from '../../../../src/providers/trees/rows';
import { Cancelled, Runner } from '../../../../src/ui/runner';
import { useRecordedEngine } from '../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { workspace } from '../../providers/fixtures';

const row = (name: string, guest: number): Row => ({
  ...{ type: 'published', workspace: name, host: 10_000 + guest, guest },
});

describe('commands/port/remove', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();

  /** Two workspaces with three ports each. */
  const services = () => {
    const { store, link, log } = unlinked();
    link.client = () => Promise.resolve(engine().client);
    for (const name of ['api', 'web']) {
      const ports = [80, 81, 82].map((guest) => ({ host: 10_000 + guest, guest }));
      const described = workspace(name, { spec: { ...workspace(name).spec, ports } });
      store.take({ type: 'workspace.changed', payload: described });
      engine().answers.set(`GET /v1/workspaces/${name}`, () => described);
      engine().answers.set(`PATCH /v1/workspaces/${name}`, () => described);
    }
    const targets = new Targets(link, store, () => ({ workspaces: [], volumes: [] }));
    return { store, link, targets, runner: new Runner(link, store, log) };
  };
  /** The ports that each change leaves, by workspace. */
  const left = (): [string, number[]][] =>
    engine()
      .asked.filter(({ route }) => route.startsWith('PATCH'))
      .map(({ route, body }) => [
        route.split('/').at(-1) ?? '',
        (body as { ports: { guest: number }[] }).ports.map(({ guest }) => guest),
      ]);

  it('takes one back without a question, and undoes it', async () => {
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Undo');
    await removePort(services())(row('api', 81), [row('api', 81)]);
    assert.deepEqual(
      standIn.messages.map(({ text }) => text),
      ['127.0.0.1:10081 is no longer published.'],
    );
    assert.deepEqual(left(), [
      ['api', [80, 82]],
      ['api', [80, 81, 82, 81]],
    ]);
  });

  const selected = [
    row('api', 80),
    row('api', 82),
    row('web', 81),
    { type: 'workspace', name: 'web' } as const,
  ];

  it('takes all that are selected back after one question that names them', async () => {
    standIn.pressed = ({ buttons }) => buttons.find((each) => each === 'Stop Publishing');
    await removePort(services())(selected[0], selected);
    const [question, done] = standIn.messages;
    assert.equal(question?.text, 'Stop publishing 3 ports?');
    assert.deepEqual(question.detail?.split('\n'), [
      '127.0.0.1:10080 · api',
      '127.0.0.1:10082 · api',
      '127.0.0.1:10081 · web',
    ]);
    assert.equal(question.buttons[0], 'Keep', 'what Enter presses');
    assert.equal(done?.text, '3 ports are no longer published.');
    assert.deepEqual(left(), [
      ['api', [81]],
      ['web', [80, 82]],
    ]);
  });

  it('takes none back where the question is answered otherwise', async () => {
    for (const answer of ['Keep', undefined]) {
      standIn.pressed = () => answer;
      await assert.rejects(Promise.resolve(removePort(services())(selected[0], selected)), Cancelled);
    }
    assert.deepEqual(left(), []);
  });
});
