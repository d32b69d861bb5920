import * as vscode from 'vscode';
import { DoctorDocument, doctorUri } from '../../providers/doctor-document';
import type { Handler, Services } from '../command';

const { t } = vscode.l10n;

/** Checks this machine and shows the report as a page. */
export const doctor = ({ runner, context }: Pick<Services, 'runner' | 'context'>): Handler => {
  const document = new DoctorDocument();
  context.subscriptions.push(document);
  return async () => {
    const outcome = await runner.run(t('Checking this machine'), async ({ client, signal }) => {
      const report = await client.call('engine.doctor', { signal });
      document.show(report, await client.call('engine.info', { signal }));
    });
    if (outcome.kind === 'done') {
      await vscode.commands.executeCommand('markdown.showPreview', doctorUri);
    }
  };
};
