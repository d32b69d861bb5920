import assert from 'node:assert/strict';
import { standIn } from '../../../../support/vscode/stand-in';
import type { WorkspaceState } from '../../../../../src/api';
import { archiveWorkspace } from '../../../../../src/commands/workspace/lifecycle/archive';
import { Targets } from '../../../../../src/commands/targets';
import { Runner } from '../../../../../src/ui/runner';
import { useRecordedEngine } from '../../../../support/engine/recorded-engine';
import { useUnlinked } from '../../../../support/vscode/unlinked';
import { operation, workspace } from '../../../providers/fixtures';

describe('commands/workspace/lifecycle/archive', () => {
  const unlinked = useUnlinked();
  const engine = useRecordedEngine();

  /** Archives it and presses "Undo", when that is pressed; answers what was said and what the engine was asked to do. */
  const archive = async (state: WorkspaceState, isUndone = false) => {
    standIn.pressed = ({ buttons }) => (isUndone ? buttons.find((each) => each === 'Undo') : undefined);
    const { store, link, log } = unlinked();
    link.client = () => Promise.resolve(engine().client);
    store.take({ type: 'workspace.changed', payload: workspace('demo', { state }) });
    const targets = new Targets(link, store, () => ({ workspaces: [], volumes: [] }));
    const services = { targets, link, store, runner: new Runner(link, store, log) };
    for (const verb of ['archive', 'restore']) {
      engine().answers.set(`POST /v1/workspaces/demo/${verb}`, () =>
        operation(verb, { kind: `workspace.${verb}`, status: 'succeeded' }),
      );
    }
    await archiveWorkspace(services)('demo');
    const asked = engine().asked.filter(({ route }) => !route.startsWith('GET'));
    return {
      said: standIn.messages.map(({ text }) => text),
      asked: asked.map(({ route }) => route.split('?')[0]),
    };
  };

  for (const state of ['running', 'paused'] as const) {
    it(`says of what is ${state} that its programs and their memory are gone, and its files are not`, async () => {
      assert.deepEqual((await archive(state)).said, [
        'Archived demo. Its programs and their memory are gone; all files are kept, also those outside of volumes.',
      ]);
    });
  }

  it('says nothing of programs where none ran', async () => {
    assert.deepEqual((await archive('stopped')).said, [
      'Archived demo. All files are kept, also those outside of volumes.',
    ]);
  });

  it('takes it back by "Undo"', async () => {
    assert.deepEqual((await archive('stopped', true)).asked, [
      'POST /v1/workspaces/demo/archive',
      'POST /v1/workspaces/demo/restore',
    ]);
  });
});
