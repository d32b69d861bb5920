import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import type { TrashItem } from '../../api/trash/schemas';
import { showInformationMessage } from '../../ui/messages';
import { pickOne } from '../../ui/pick';
import { Cancelled } from '../../ui/runner';
import type { Handler } from '../command';
import { reportDone } from '../input';
import { itemWords, restoreItem, type TrashServices } from './items';

const { t } = vscode.l10n;

/** Has a deleted workspace or volume back, which is chosen, or named by its id. */
export const restoreFromTrash =
  (services: TrashServices): Handler =>
  async (target) => {
    const client = await services.link.client();
    const items = await client.call('trash.list', {});
    if (items.length === 0) {
      void showInformationMessage(t('The trash is empty.'));
      return;
    }
    const item = items.find(({ id }) => id === target) ?? (await pickItem(items));
    if (await restoreItem(services, item)) {
      await reportDone(t('{0} was restored from the trash.', item.name));
    }
  };

async function pickItem(items: readonly TrashItem[]): Promise<TrashItem> {
  const chosen = await pickOne(
    items.map((item) => ({
      label: item.name,
      description: itemWords(item),
      detail: formatBytes(item.usedBytes),
      iconPath: new vscode.ThemeIcon(item.kind === 'workspace' ? 'vm' : 'database'),
      item,
    })),
    { title: t('Restore from Trash'), placeHolder: t('What should be restored?') },
  );
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen.item;
}
