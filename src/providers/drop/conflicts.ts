/** Asks once what to do about things that are there already. */
import * as vscode from 'vscode';
import type { ConflictList, ConflictPolicy } from '../../api';
import { Cancelled } from '../../ui/runner';

const { t } = vscode.l10n;
const shown = 10;

/** `fail` when nothing is in the way; throws `Cancelled` when the user backs out. */
export async function chooseConflictPolicy({ conflicts, total }: ConflictList): Promise<ConflictPolicy> {
  const [first] = conflicts;
  if (first === undefined) {
    return 'fail';
  }
  const policies = new Map<string, ConflictPolicy>([
    [t('Overwrite'), 'overwrite'],
    [t('Skip'), 'skip'],
    [t('Keep Both'), 'rename'],
  ]);
  const question =
    total === 1
      ? t('{0} is there already.', first.path)
      : t('{0} files or folders are there already.', total);
  const rest = total > shown ? [t('… and {0} more', total - shown)] : [];
  const detail = [...conflicts.slice(0, shown).map(({ path }) => path), ...rest].join('\n');
  const answer = await vscode.window.showWarningMessage(
    question,
    { modal: true, detail: total === 1 ? t('Choose what to do with it.') : detail },
    ...policies.keys(),
  );
  const policy = answer === undefined ? undefined : policies.get(answer);
  if (policy === undefined) {
    throw new Cancelled();
  }
  return policy;
}
