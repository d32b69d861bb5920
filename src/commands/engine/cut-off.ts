import * as vscode from 'vscode';
import type { Services } from '../command';
import { confirm } from '../input';

const { t } = vscode.l10n;

/** Before the engine ends: names the operations that would be cut off, if there are any. Throws `Cancelled`. */
export async function confirmCutOff(message: string, store: Services['store'], act: string): Promise<void> {
  const titles = store.runningOperations.map(({ title }) => title);
  if (titles.length > 0) {
    await confirm({
      message,
      detail: t('These operations will be cut off:\n{0}', titles.join('\n')),
      act,
      harmless: { title: t('Let Them Finish') },
    });
  }
}
