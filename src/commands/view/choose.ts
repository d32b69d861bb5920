/** Choosing a value of a view's setting from a list that shows the current one. */
import * as vscode from 'vscode';
import { changeSetting, setting } from '../../ui/settings';
import type { Handler } from '../command';
import type { SettingId } from '../../ui/ids';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;

/** The command that asks for a value of the setting, one of those that have a label. */
export function chooseSetting(
  id: SettingId,
  placeHolder: string,
  labels: Readonly<Record<string, string>>,
): Handler {
  return async () => {
    const current = setting(id, '');
    const items = Object.entries(labels).map(([value, label]) => ({
      label,
      description: value === current ? t('current') : '',
      value,
    }));
    const chosen = await pickOne(items, { placeHolder });
    if (chosen !== undefined && chosen.value !== current) {
      await changeSetting(id, chosen.value);
    }
  };
}
