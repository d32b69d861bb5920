import * as vscode from 'vscode';
import type { Services } from '../command';
import { showInformationMessage, showWarningMessage } from '../../ui/messages';
import { asSentence } from '../../ui/words';

const { t } = vscode.l10n;
const maxShown = 3;

/** Says that it is done; where something of it was not, that too, as one warning with the way to the log. */
export async function reportEnd(
  log: Pick<Services['log'], 'warn' | 'show'>,
  text: string,
  problems: readonly string[],
): Promise<void> {
  if (problems.length === 0) {
    await showInformationMessage(text);
    return;
  }
  log.warn([text, ...problems].join('\n  '));
  const rest = problems.length - maxShown;
  const shown = [text, ...problems.slice(0, maxShown)].map(asSentence);
  const show = t('Show Berth Log');
  const words = [...shown, ...(rest > 0 ? [t('… and {0} more', rest)] : [])].join(' ');
  if ((await showWarningMessage(words, show)) === show) {
    log.show();
  }
}
