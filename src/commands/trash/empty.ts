import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import { showInformationMessage } from '../../ui/messages';
import type { Handler } from '../command';
import { confirm } from '../input';
import { itemLines, trashBytes, type TrashServices } from './items';

const { t } = vscode.l10n;
const maxLines = 12;

/** Removes for good what is in the trash, or the one of that id, after a dialog with names and sizes. */
export const emptyTrash =
  (services: TrashServices): Handler =>
  async (target) => {
    const client = await services.link.client();
    const all = await client.call('trash.list', {});
    // Of one that is gone by now, all the others are not meant.
    const isOne = typeof target === 'string';
    const items = isOne ? all.filter(({ id }) => id === target) : all;
    const [only] = items;
    if (only === undefined) {
      const gone = t('It is not in the trash any more.');
      void showInformationMessage(isOne ? gone : t('The trash is empty.'));
      return;
    }
    const size = formatBytes(trashBytes(items));
    const lines = itemLines(items);
    const rest = lines.length - maxLines;
    await confirm({
      message:
        items.length === 1
          ? t('Remove {0} for good ({1})?', only.name, size)
          : t('Remove {0} deleted workspaces and volumes for good ({1})?', items.length, size),
      detail: [
        ...lines.slice(0, maxLines),
        ...(rest > 0 ? [t('and {0} others', rest)] : []),
        '',
        t('This cannot be undone.'),
      ].join('\n'),
      act: t('Empty Trash'),
      harmless: { title: t('Keep') },
    });
    await services.runner.run(t('Emptying the trash'), async (task) =>
      task.follow(await task.client.call('trash.empty', { body: { items: items.map(({ id }) => id) } })),
    );
  };
