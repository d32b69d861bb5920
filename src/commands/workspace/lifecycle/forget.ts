/** Giving up a workspace whose container engine is out of reach: only after a dialog that says what stays there. */
import * as vscode from 'vscode';
import type { Workspace } from '../../../api';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import { runtimeWords } from '../../../ui/words';
import { confirm } from '../../input';
import type { CommandId } from '../../../ui/contributions/commands';
import type { Runner } from '../../../ui/runner';
import { oneByOne } from './one-by-one';
import type { Failed } from './remediable';

const { t } = vscode.l10n;

/** One after the other; those that the user keeps are passed over. */
export async function forgetWorkspaces(runner: Runner, found: readonly Failed[]): Promise<void> {
  await oneByOne(found, async ({ workspace }) => {
    await confirmForget(workspace);
    const { name, label } = workspace;
    await runner.run(t('Forgetting {0}', label), async (task) => {
      const query = { wait: 0, forget: true };
      await task.follow(await task.client.call('workspaces.delete', { params: { name }, query }));
    });
  });
}

async function confirmForget(workspace: Workspace): Promise<void> {
  const { label, spec, runtimeName } = workspace;
  const kept = ownVolumesOf(workspace);
  const check: CommandId = 'berth.engine.doctor';
  await confirm({
    message: t('Forget workspace {0}?', label),
    detail: [
      t('Its keys, secrets and settings are deleted here. What it has on its own machine stays there:'),
      t('• {0} {1}', runtimeWords(spec.runtime).name, runtimeName),
      ...kept.map((name) => t('• volume {0}', name)),
    ].join('\n'),
    act: t('Forget'),
    harmless: { title: t('Check This Machine'), run: () => vscode.commands.executeCommand(check) },
  });
}
