import { runtimeKinds } from '../../../api/rules/runtimes';
import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { choice } from '../../../ui/settings';
import type { EngineInfo, RuntimeKind } from '../../../api';
import { runWizard } from '../../wizard';
import { createSteps, imageStep } from './create-steps';
import { createFrom } from './create-from';
import type { WorkspaceDraft } from './draft';

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
  const client = await services.link.client();
  const [info, images] = await Promise.all([
    client.call('engine.info', {}),
    // Without a container engine there is no list; the name can be typed all the same.
    client.call('images.list', {}).catch(() => []),
  ]);
  if (jump === undefined) {
    draft.runtime = usableRuntime(draft.runtime, info);
  }
  await runWizard(t('Create Workspace'), createSteps(services.store, { info, images }), draft, jump);
  await createFrom(services, draft, () => createByWizard(services, draft, imageStep));
}

/** The wanted one, unless only another one works on this machine. */
export function usableRuntime(wanted: RuntimeKind, { drivers }: Pick<EngineInfo, 'drivers'>): RuntimeKind {
  const usable = drivers.filter(({ available }) => available).map(({ runtime }) => runtime);
  return usable.includes(wanted) ? wanted : (usable[0] ?? wanted);
}
