import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { kindOf, verbs } from '../../../../src/api/rules/lifecycle';
import { operationTitle } from '../../../../src/ui/operations/operation-title';
import { pseudo, untranslated } from '../../../support/pseudo-locale';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { operation, workspace } from '../../providers/fixtures';

describe('ui/operation-title', () => {
  const unlinked = useUnlinked();
  afterEach(() => standIn.reset());

  it('is in the language of the window for whatever is done with a workspace', () => {
    standIn.translated = pseudo;
    const { store } = unlinked();
    for (const kind of [...verbs.map(kindOf), 'workspace.create', 'workspace.adopt']) {
      const title = operationTitle(operation('a', { kind, title: 'Work on demo', workspace: 'demo' }), store);
      assert.ok(!untranslated(title), title);
    }
  });

  it('has the label of the workspace', () => {
    const { store } = unlinked();
    store.take({ type: 'workspace.changed', payload: workspace('demo', { label: 'Shop' }) });
    const start = operation('a', {
      kind: 'workspace.start',
      title: 'Start workspace demo',
      workspace: 'demo',
    });
    assert.equal(operationTitle(start, store), 'Starting Shop');
  });

  it('is the words of the engine for the rest', () => {
    const { store } = unlinked();
    const copy = operation('a', { kind: 'transfer', title: 'Copy a to demo:/' });
    assert.equal(operationTitle(copy, store), 'Copy a to demo:/');
    const later = operation('a', { kind: 'workspace.later', title: 'Later demo', workspace: 'demo' });
    assert.equal(operationTitle(later, store), 'Later demo');
  });
});
