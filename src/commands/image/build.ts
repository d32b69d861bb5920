import * as vscode from 'vscode';
import type { RuntimeKind } from '../../api';
import { runtimeWords } from '../../ui/words';
import type { Handler, Services } from '../command';
import { reportDone } from '../input';
import { Cancelled } from '../../ui/runner';
import { pickOne } from '../../ui/pick';

const { t } = vscode.l10n;

/** Builds `workspace:latest` and what every workspace needs, for the kind of runtime that is chosen. */
export const buildImage =
  ({ runner, link }: Pick<Services, 'runner' | 'link'>): Handler =>
  async () => {
    const { drivers } = await (await link.client()).call('engine.info', {});
    const runtime = await pickRuntime(drivers.map((driver) => driver.runtime));
    const outcome = await runner.run(t('Building the workspace image'), async (task) =>
      task.follow(await task.client.call('images.build', { query: { wait: 0 }, body: { runtime } })),
    );
    if (outcome.kind === 'done') {
      await reportDone(t('Built the workspace image.'));
    }
  };

async function pickRuntime(runtimes: readonly RuntimeKind[]): Promise<RuntimeKind> {
  const [only, ...others] = runtimes;
  if (only !== undefined && others.length === 0) {
    return only;
  }
  const items = runtimes.map((runtime) => {
    const words = runtimeWords(runtime);
    return { label: words.plural, iconPath: new vscode.ThemeIcon(words.icon), runtime };
  });
  const chosen = await pickOne(items, {
    placeHolder: t('Build the base image for…'),
  });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen.runtime;
}
