import { runtimeKinds } from '../../../api/rules/runtimes';
import * as vscode from 'vscode';
import type { Handler, Services } from '../../command';
import { choice } from '../../../ui/settings';
import type { RuntimeKind } from '../../../api';
import { runWizard } from '../../wizard';
import { createSteps } from './create-steps';
import { createFrom } from './create-from';
import type { WorkspaceDraft } from './draft';

const { t } = vscode.l10n;

export type CreateServices = Pick<Services, 'link' | 'runner' | 'store' | 'views'>;

/** The wizard: name, runtime, image, clone URL, limits, Docker inside, summary. */
export const createWorkspace =
  (services: CreateServices): Handler =>
  async () => {
    const client = await services.link.client();
    const [info, images] = await Promise.all([
      client.call('engine.info', {}),
      // Without a container engine there is no list; the name can be typed all the same.
      client.call('images.list', {}).catch(() => []),
    ]);
    const draft: WorkspaceDraft = {
      name: '',
      runtime: choice<RuntimeKind>('defaultRuntime', runtimeKinds),
      image: '',
      cloneUrl: '',
      limits: {},
      docker: false,
    };
    await runWizard(t('Create Workspace'), createSteps(services.store, { info, images }), draft);
    await createFrom(services, draft);
  };
