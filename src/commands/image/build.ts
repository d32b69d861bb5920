import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { tellDone } from '../input';

const { t } = vscode.l10n;

/** Builds `workspace:latest` and what every workspace needs. */
export const buildImage =
  ({ runner }: Pick<Services, 'runner'>): Handler =>
  async () => {
    const outcome = await runner.run(t('Building the workspace image'), async (task) =>
      task.follow(await task.client.call('images.build', { query: { wait: 0 }, body: {} })),
    );
    if (outcome.kind === 'done') {
      await tellDone(t('The workspace image is built.'));
    }
  };
