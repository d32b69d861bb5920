/** Which published port is meant: that of the clicked row, or one that the user picks. */
import * as vscode from 'vscode';
import { isRow } from '../../providers/trees/rows';
import type { Services } from '../command';
import { Cancelled } from '../../ui/runner';
import { showInformationMessage } from '../../ui/messages';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;

export interface PublishedAddress {
  workspace: string;
  host: number;
}

/** Throws `Cancelled` when there is none or the user backs out. */
export async function pickPort(
  { link, store }: Pick<Services, 'link' | 'store'>,
  target: unknown,
): Promise<PublishedAddress> {
  if (isRow(target) && target.type === 'published') {
    return target;
  }
  await link.client();
  const items = store.workspaces.flatMap(({ name, label, spec: { ports = [] } }) =>
    ports.flatMap(({ host, guest }) =>
      host === undefined
        ? []
        : [
            {
              label: t('Port {0} of {1}', guest, label),
              description: `127.0.0.1:${host}`,
              workspace: name,
              host,
            },
          ],
    ),
  );
  if (items.length === 0) {
    const none = t('No workspace publishes a port: "Publish Port…" on a workspace does.');
    void showInformationMessage(none);
    throw new Cancelled(none);
  }
  const chosen = await pickOne(items, {
    placeHolder: t('Port'),
    matchOnDescription: true,
  });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen;
}
