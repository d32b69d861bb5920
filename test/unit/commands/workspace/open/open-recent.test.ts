import assert from 'node:assert/strict';
import { standIn, type PickItem } from '../../../../support/vscode/stand-in';
import * as vscode from 'vscode';
import { openRecent } from '../../../../../src/commands/workspace/open/openRecent';
import type { Services } from '../../../../../src/commands/command';
import { noteOpened } from '../../../../../src/ui/recents';
import { Cancelled } from '../../../../../src/ui/runner';
import { TestMemory } from '../../../../support/vscode/memory';
import { useUnlinked } from '../../../../support/vscode/unlinked';
import { workspace } from '../../../providers/fixtures';

describe('opening a recent workspace', () => {
  const unlinked = useUnlinked();

  const run = (memory: TestMemory) => {
    const { store } = unlinked();
    const context = { extension: { extensionKind: vscode.ExtensionKind.UI }, globalState: memory };
    const link = { client: () => Promise.resolve() };
    return openRecent({ store, context, link } as unknown as Services)();
  };

  it('offers all by their labels, the last one first, with when and in which state', async () => {
    const memory = new TestMemory();
    await noteOpened(memory, 'second', new Date('2026-02-01T12:00:00Z'));
    for (const each of [
      workspace('first', { state: 'running' }),
      workspace('second', { label: 'Web shop' }),
      workspace('going', { state: 'deleting' }),
    ]) {
      unlinked().store.take({ type: 'workspace.changed', payload: each });
    }
    let offered: readonly PickItem[] = [];
    standIn.chosen = (items) => void (offered = items);
    await assert.rejects(run(memory), Cancelled);
    assert.deepEqual(
      offered.map(({ label }) => label),
      ['Web shop', 'first'],
    );
    assert.match(offered[0]?.description ?? '', /^second · opened Feb 1, 2026.* · stopped$/);
    assert.match(offered[1]?.description ?? '', /^used Jan \d, 2026[^·]*$/);
  });

  it('says so where there is none', async () => {
    await run(new TestMemory());
    assert.deepEqual(
      standIn.messages.map(({ text }) => text),
      ['No workspace can be opened.'],
    );
  });
});
