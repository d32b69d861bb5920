import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { ask } from '../input';

const { t } = vscode.l10n;
const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Creates a named volume, to be shared between workspaces or filled beforehand. */
export const createVolume =
  ({ link, runner, store, views }: Pick<Services, 'link' | 'runner' | 'store' | 'views'>): Handler =>
  async (target) => {
    await link.client();
    const problem = (name: string): string | undefined => {
      if (!namePattern.test(name)) {
        return t('Lowercase letters, digits and hyphens, 1 to 63 characters, no hyphen at the ends.');
      }
      return store.volume(name) === undefined ? undefined : t('There is a volume “{0}” already.', name);
    };
    const name =
      typeof target === 'string'
        ? target
        : await ask({ title: t('Create Volume'), prompt: t('Name of the volume'), validate: problem });
    const outcome = await runner.run(t('Creating volume {0}', name), async ({ client, signal }) => {
      const payload = await client.call('volumes.create', { body: { name }, signal });
      store.take({ type: 'volume.changed', payload });
    });
    if (outcome.kind === 'done') {
      await views.revealVolume(name);
    }
  };
