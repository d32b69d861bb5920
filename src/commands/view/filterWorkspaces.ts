import * as vscode from 'vscode';
import { counted, goalsOf, type WorkspaceFilter } from '../../providers/trees/filter';
import { stateIcon } from '../../providers/trees/workspace-item';
import { stateWord } from '../../ui/words';
import type { Handler, Services } from '../command';
import { plainItem } from '../../ui/pick';

const { t } = vscode.l10n;

interface Item extends vscode.QuickPickItem {
  filter?: WorkspaceFilter;
}

/** Asks for a tag or a state to choose, or for a part of a name to type; the view then shows those alone. */
export const filterWorkspaces =
  ({ link, store, views }: Pick<Services, 'link' | 'store' | 'views'>): Handler =>
  async () => {
    await link.client();
    const filter = await pick(choices(store.workspaces));
    if (filter !== undefined) {
      views.filter(filter);
    }
  };

function choices(workspaces: Services['store']['workspaces']): Item[] {
  const tags = counted(workspaces.flatMap(({ tags = [] }) => tags));
  const states = counted(goalsOf(workspaces));
  return [
    ...(tags.length === 0 ? [] : [separator(t('Tags'))]),
    ...tags.map(([tag, count]): Item => ({
      label: tag,
      description: String(count),
      iconPath: new vscode.ThemeIcon('tag'),
      filter: { by: 'tag', tag },
    })),
    separator(t('States')),
    ...states.map(([state, count]): Item => ({
      label: stateWord(state),
      description: String(count),
      iconPath: stateIcon(state),
      filter: { by: 'state', state },
    })),
  ];
}

const separator = (label: string): Item => ({ label, kind: vscode.QuickPickItemKind.Separator });

/** What is typed is the first choice, as part of a name. undefined: backed out. */
function pick(items: readonly Item[]): Promise<WorkspaceFilter | undefined> {
  const list = vscode.window.createQuickPick<Item>();
  list.placeholder = t('Type a part of a name, or choose a tag or a state');
  const plain = items.map(plainItem);
  list.items = plain;
  return new Promise((resolve) => {
    list.onDidChangeValue((text) => {
      const typed = text.trim();
      const label = t('Name contains “{0}”', typed);
      const byName: Item = { label, alwaysShow: true, filter: { by: 'name', text: typed } };
      list.items = typed === '' ? plain : [plainItem(byName), ...plain];
    });
    list.onDidAccept(() => {
      resolve(list.selectedItems[0]?.filter);
      list.hide();
    });
    list.onDidHide(() => {
      resolve(undefined);
      list.dispose();
    });
    list.show();
  });
}
