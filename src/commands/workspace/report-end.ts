import * as vscode from 'vscode';
import type { Services } from '../command';
import { showInformationMessage, showWarningMessage } from '../../ui/messages';
import { asSentence } from '../../ui/words';

const { t } = vscode.l10n;
const maxShown = 3;

/**
 * Says that it is done; where something of it was not, that too, as one warning with the way to the log. `notes` follow
 * after that: they are as they should be, and no reason to warn.
 */
export async function reportEnd(
  log: Pick<Services['log'], 'info' | 'warn' | 'show'>,
  text: string,
  problems: readonly string[],
  notes: readonly string[] = [],
): Promise<void> {
  const more = [...problems, ...notes];
  if (more.length === 0) {
    await showInformationMessage(text);
    return;
  }
  const isFine = problems.length === 0;
  log[isFine ? 'info' : 'warn']([text, ...more].join('\n  '));
  const rest = more.length - maxShown;
  const shown = [text, ...more.slice(0, maxShown)].map(asSentence);
  const button = t('Show Berth Log');
  const words = [...shown, ...(rest > 0 ? [t('… and {0} more', rest)] : [])].join(' ');
  const show = isFine ? showInformationMessage : showWarningMessage;
  if ((await show(words, button)) === button) {
    log.show();
  }
}
