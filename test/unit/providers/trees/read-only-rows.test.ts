import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { entryItem } from '../../../../src/providers/trees/volume-item';
import { rootItem } from '../../../../src/providers/trees/workspace-item';
import { generated } from '../../../../src/ui/contributions/manifest';
import { entry } from '../fixtures';

describe('what is offered for files that can be read, not changed', () => {
  beforeEach(() => standIn.reset());

  const changing = [
    'cut',
    'delete',
    'duplicate',
    'newFile',
    'newFolder',
    'paste',
    'rename',
    'uploadFiles',
    'uploadFolder',
  ];
  const readingFolder = [
    ...['copy', 'copyPath', 'copyRelativePath', 'download', 'findText', 'goToFile', 'openAsFolder'],
    'openTerminalHere',
  ];
  const file = (type: 'file' | 'directory', readOnly: boolean): string => {
    const inside = { workspace: 'demo', path: '/etc/x', readOnly };
    const row = {
      type: 'file',
      volume: 'rootfs@demo',
      path: '/etc/x',
      entry: entry('x', { type }),
      inside,
    } as const;
    return entryItem(row).contextValue ?? '';
  };
  const root = (isFixed: boolean, isLocked = false): string =>
    rootItem({ type: 'root', workspace: 'demo' }, { isFixed, isLocked }).contextValue ?? '';

  /** The file commands in the menu of rows with that value, by the generated conditions. */
  function offered(contextValue: string): string[] {
    const { menus } = generated().contributes as {
      menus: Record<string, { command: string; when: string }[]>;
    };
    const entries = (menus['view/item/context'] ?? []).filter(({ when }) =>
      when.includes('berth\\.(volumes|workspaces)'),
    );
    const fits = ({ when }: { when: string }): boolean =>
      new RegExp(/viewItem =~ \/(.*?)\/( &&|$)/.exec(when)?.[1] ?? 'nothing').test(contextValue);
    return [
      ...new Set(entries.filter(fits).map(({ command }) => command.replace(/^berth\.\w+\./, ''))),
    ].sort();
  }

  it('is all of it where they can be changed', () => {
    assert.deepEqual(offered(file('directory', false)), [...changing, ...readingFolder].sort());
    assert.deepEqual(offered(root(false)), [
      'findText',
      'goToFile',
      'newFile',
      'newFolder',
      'openAsFolder',
      'openTerminalHere',
      'paste',
      'uploadFiles',
      'uploadFolder',
    ]);
  });

  it('is nothing that changes them', () => {
    assert.deepEqual(offered(file('directory', true)), readingFolder);
    assert.deepEqual(offered(file('file', true)), [
      ...['compareWith', 'copy', 'copyPath', 'copyRelativePath', 'download', 'open', 'openTerminalHere'],
      'openToSide',
    ]);
    const readingRoot = ['findText', 'goToFile', 'openAsFolder', 'openTerminalHere'];
    assert.deepEqual(offered(root(true)), readingRoot);
    assert.deepEqual(offered(root(true, true)), readingRoot);
  });

  it('is to allow changes, where that is all that is missing', () => {
    const { menus } = generated().contributes as {
      menus: Record<string, { command: string; when: string }[]>;
    };
    const whens = (menus['view/item/context'] ?? [])
      .filter(({ command }) => command === 'berth.workspace.allowChanges')
      .map(({ when }) => when);
    assert.deepEqual(
      whens.map((when) => when.endsWith(`viewItem == ${root(true, true)}`)),
      [true, true],
    );
  });
});
