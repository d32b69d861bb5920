import assert from 'node:assert/strict';
import { standIn } from '../../../../support/vscode/stand-in';
import type { WorkspaceState } from '../../../../../src/api';
import { deleteWorkspace } from '../../../../../src/commands/workspace/lifecycle/delete';
import { Targets } from '../../../../../src/commands/targets';
import { Cancelled, Runner } from '../../../../../src/ui/runner';
import { useRecordedEngine } from '../../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../../support/vscode/unlinked';
import { operation, workspace } from '../../../providers/fixtures';

describe('commands/workspace/lifecycle/delete', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();

  /** Presses the first button, as Enter does; answers the buttons and what the engine was asked to do. */
  const pressEnter = async (state: WorkspaceState, temporary = false) => {
    standIn.reset();
    standIn.pressed = ({ buttons }) => buttons[0];
    const { store, link, log } = unlinked();
    link.client = () => Promise.resolve(engine().client);
    store.take({
      type: 'workspace.changed',
      payload: workspace('demo', { state, ...(temporary && { temporary }) }),
    });
    const targets = new Targets(link, store, () => ({ workspaces: [], volumes: [] }));
    const services = { targets, link, store, runner: new Runner(link, store, log) };
    engine().answers.set('POST /v1/workspaces/demo/archive', () =>
      operation('a', { kind: 'workspace.archive', status: 'succeeded' }),
    );
    engine().answers.set('GET /v1/engine', () => ({ trashDays: 7 }));
    await assert.rejects(Promise.resolve(deleteWorkspace(services)('demo')), Cancelled);
    const asked = engine().asked.filter(({ route }) => !route.startsWith('GET'));
    const fate = temporary ? /^This cannot be undone\.$/m : /Kept in the trash for 7 days/;
    assert.match(standIn.messages[0]?.detail ?? '', fate);
    return { buttons: standIn.messages[0]?.buttons, asked: asked.map(({ route }) => route.split('?')[0]) };
  };

  it('offers to archive instead of what is stopped', async () => {
    assert.deepEqual(await pressEnter('stopped'), {
      buttons: ['Archive Instead', 'Delete'],
      asked: ['POST /v1/workspaces/demo/archive'],
    });
  });

  it('says of one that is temporary that it goes for good', async () => {
    assert.deepEqual((await pressEnter('running', true)).buttons, ['Keep', 'Delete']);
  });

  for (const state of ['running', 'paused'] as const) {
    it(`ends nothing of what is ${state} on Enter`, async () => {
      assert.deepEqual(await pressEnter(state), { buttons: ['Keep', 'Delete'], asked: [] });
    });
  }
});
