import * as vscode from 'vscode';
import { isRow } from '../../providers/trees/rows';
import { operationTitle } from '../../ui/operations/operation-title';
import { progressText } from '../../ui/progress';
import type { Handler, Services } from '../command';
import { Cancelled } from '../../ui/runner';
import { showInformationMessage } from '../../ui/messages';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;

/** Cancels a running operation: the clicked one, or one that is picked. */
export const cancelOperation =
  ({ link, runner, store }: Pick<Services, 'link' | 'runner' | 'store'>): Handler =>
  async (target) => {
    await link.client();
    const clicked = isRow(target) && target.type === 'operation' ? store.operation(target.id) : undefined;
    const operation = clicked ?? (await pick());
    await runner.run(t('Cancelling: {0}', operationTitle(operation, store)), async ({ client, signal }) => {
      await client.call('operations.cancel', { params: { id: operation.id }, signal });
    });

    async function pick() {
      const running = store.runningOperations.filter(({ cancellable }) => cancellable);
      if (running.length === 0) {
        void showInformationMessage(t('No operation that can be cancelled is running.'));
        throw new Cancelled();
      }
      const items = running.map((each) => ({
        label: operationTitle(each, store),
        description: progressText(each),
        each,
      }));
      const chosen = await pickOne(items, { placeHolder: t('Operation to cancel') });
      if (chosen === undefined) {
        throw new Cancelled();
      }
      return chosen.each;
    }
  };
