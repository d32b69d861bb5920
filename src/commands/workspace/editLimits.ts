import * as vscode from 'vscode';
import type { Limits } from '../../api';
import { limitsWords } from '../../ui/words';
import type { Handler, Services } from '../command';
import { reportDone } from '../input';
import { runWizard } from '../wizard';
import { limitsSteps } from './create/limits-steps';

const { t } = vscode.l10n;
/** What is not chosen is taken away. */
const noLimits = { cpus: null, memoryMiB: null } as const;

/** Changes CPU and memory limits, live where that can be. */
export const editLimits =
  ({ targets, runner, store }: Pick<Services, 'targets' | 'runner' | 'store'>): Handler =>
  async (target) => {
    const workspace = await targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace to limit'),
      none: t('There is no workspace.'),
    });
    const before: Limits = workspace.spec.limits ?? {};
    const { runtime } = workspace.spec;
    const draft = { limits: before };
    const steps = limitsSteps<typeof draft>(
      (state) => state.limits,
      (state, limits) => (state.limits = limits),
      () => runtime,
    );
    await runWizard(t('Limits of {0}', workspace.label), steps, draft);
    const change = (limits: Limits) =>
      runner.run(t('Changing limits of {0}', workspace.label), async ({ client }) => {
        const params = { name: workspace.name };
        const take = store.awaitWorkspace(workspace.name);
        const payload = await client.call('workspaces.update', {
          params,
          body: { limits: { ...noLimits, ...limits } },
        });
        take(payload);
        return payload.spec.limits ?? {};
      });
    const outcome = await change(draft.limits);
    if (outcome.kind === 'done') {
      await reportDone(t('{0}: {1}.', workspace.label, limitsWords(outcome.value, runtime)), async () => {
        await change(before);
      });
    }
  };
