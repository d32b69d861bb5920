import { runtimeKinds } from '../../../api/rules/runtimes';
import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { choice } from '../../../ui/settings';
import type { RuntimeKind } from '../../../api';
import { runWizard } from '../../wizard';
import { createSteps, imageStep, type CreateChoices } from './create-steps';
import { createFrom } from './create-from';
import type { WorkspaceDraft } from './draft';
import { preselect } from './preselection';

const { t } = vscode.l10n;

export type CreateServices = Pick<Services, 'link' | 'runner' | 'store' | 'views'>;

/** The wizard: name, runtime, image, clone URL, limits, Docker inside, summary. */
export const createWorkspace =
  (services: CreateServices): Handler =>
  async () => {
    await createByWizard(services, {
      name: '',
      runtime: choice<RuntimeKind>('defaultRuntime', runtimeKinds),
      image: '',
      cloneUrl: '',
      limits: {},
      docker: false,
    });
  };

/** Asks for all, or for what stands at `jump` alone, and creates what was described; an attempt that failed asks again. */
export async function createByWizard(
  services: CreateServices,
  draft: WorkspaceDraft,
  jump?: number,
): Promise<void> {
  const choices = await choicesOf(await services.link.client());
  if (jump === undefined) {
    preselect(draft, choices);
  }
  await runWizard(t('Create Workspace'), createSteps(services.store, choices), draft, jump);
  await createFrom(services, draft, () => createByWizard(services, draft, imageStep));
}

/** What this machine has to choose from. */
export async function choicesOf(
  client: Awaited<ReturnType<Services['link']['client']>>,
): Promise<CreateChoices> {
  const [info, images] = await Promise.all([
    client.call('engine.info', {}),
    // Without a container engine there is no list; the name can be typed all the same.
    client.call('images.list', {}).catch(() => []),
  ]);
  return { info, images };
}
