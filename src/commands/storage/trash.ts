/** The trash: its section on the page of storage, and what can be done with an item. */
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import type { TrashItem } from '../../api/trash/schemas';
import type { CommandId } from '../../ui/contributions/commands';
import { pickOne } from '../../ui/pick';
import { itemWords, trashBytes } from '../trash/items';

const { t } = vscode.l10n;

/** As the page shows it. */
interface TrashSection {
  id: 'trash';
  title: string;
  summary: string;
  bars: { id: string; title: string; detail: string; amount: string; share: number }[];
  clean: string;
}

/** Newest first; undefined where nothing is in it. */
export function trashSection(items: readonly TrashItem[], largest: number): TrashSection | undefined {
  if (items.length === 0) {
    return undefined;
  }
  const count = items.length === 1 ? t('1 item') : t('{0} items', items.length);
  return {
    id: 'trash',
    title: t('Trash'),
    summary: [count, formatBytes(trashBytes(items))].join(' · '),
    bars: items.map((item) => ({
      ...{ id: item.id, title: item.name, detail: itemWords(item), amount: formatBytes(item.usedBytes) },
      share: Math.min(1, item.usedBytes / largest),
    })),
    clean: t('Empty Trash…'),
  };
}

/** Shows what can be done with an item, and does it. */
export async function showTrashMenu({ id, name }: TrashItem): Promise<void> {
  const entry = (icon: string, label: string, command: CommandId) => ({
    ...{ label, command, iconPath: new vscode.ThemeIcon(icon) },
  });
  const chosen = await pickOne(
    [
      entry('discard', t('Restore from Trash'), 'berth.trash.restore'),
      entry('trash', t('Remove for Good…'), 'berth.trash.empty'),
    ],
    { title: t('{0} in the trash', name), placeHolder: t('What should be done?') },
  );
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(chosen.command, id);
  }
}
