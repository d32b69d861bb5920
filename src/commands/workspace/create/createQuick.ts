import { runtimeKinds } from '../../../api/rules/runtimes';
import * as vscode from 'vscode';
import type { RuntimeKind } from '../../../api';
import { choice } from '../../../ui/settings';
import type { Handler } from '../../command';
import { ask } from '../../input';
import { choicesOf, createByWizard, type CreateServices } from './create';
import { imageStep } from './create-steps';
import { createFrom } from './create-from';
import { freeName, type WorkspaceDraft } from './draft';
import { nameMessage } from './name-words';
import { preselect } from './preselection';

const { t } = vscode.l10n;

/** Asks for a name only; everything else is the default, or what works where the default does not. */
export const createWorkspaceQuick =
  (services: CreateServices): Handler =>
  async (target) => {
    const client = await services.link.client();
    const isFree = (name: string): boolean => nameMessage(services.store, name) === undefined;
    const name =
      typeof target === 'string'
        ? target
        : await ask({
            title: t('Create Workspace with Defaults'),
            prompt: t('Name of the workspace'),
            value: freeName('workspace', isFree),
            validate: (text) => nameMessage(services.store, text.trim()),
          });
    const draft: WorkspaceDraft = {
      name: name.trim(),
      runtime: choice<RuntimeKind>('defaultRuntime', runtimeKinds),
      image: '',
      cloneUrl: '',
      limits: {},
      docker: false,
    };
    preselect(draft, await choicesOf(client));
    await createFrom(services, draft, () => createByWizard(services, draft, imageStep));
  };
