import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { ask, reportDone } from '../input';

const { t } = vscode.l10n;

/** Pulls an image from its registry. */
export const pullImage =
  ({ runner }: Pick<Services, 'runner'>): Handler =>
  async (target) => {
    const image =
      typeof target === 'string'
        ? target
        : await ask({
            title: t('Pull Image'),
            prompt: t('Name of the image'),
            placeHolder: 'debian:12',
            validate: (text) => (/^\S+$/.test(text.trim()) ? undefined : t('Enter a name without spaces.')),
          });
    const outcome = await runner.run(t('Pulling {0}', image), async (task) => {
      const body = { image: image.trim() };
      return task.follow(await task.client.call('images.pull', { query: { wait: 0 }, body }));
    });
    if (outcome.kind === 'done') {
      await reportDone(t('Pulled {0}.', image));
    }
  };
