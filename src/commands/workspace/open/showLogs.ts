import * as vscode from 'vscode';
import { BerthError } from '../../../api';
import { isUsable } from '../../../api/rules/lifecycle';
import type { EngineClient } from '../../../client/engine-client';
import type { Handler, Services } from '../../command';

const { t } = vscode.l10n;
const firstLines = 1_000;

/** One output channel per workspace, following its log until it ends or the window closes. */
export const showLogs = ({
  targets,
  link,
  context,
}: Pick<Services, 'targets' | 'link' | 'context'>): Handler => {
  const channels = new Map<string, vscode.OutputChannel>();
  const following = new Map<string, AbortController>();
  context.subscriptions.push({
    dispose: () => {
      following.forEach((each) => each.abort());
      channels.forEach((each) => each.dispose());
    },
  });
  return async (target) => {
    const { name, label } = await targets.workspace(target, {
      eligible: ({ state }) => isUsable('logs', state),
      placeHolder: t('Workspace whose log to show'),
      none: t('No workspace has a log.'),
    });
    const channel = channels.get(name) ?? vscode.window.createOutputChannel(t('Berth: {0}', label));
    channels.set(name, channel);
    channel.show(true);
    const client = await link.client();
    if (!following.has(name)) {
      const abort = new AbortController();
      following.set(name, abort);
      channel.replace(t('— the log of {0}, live —', label) + '\n');
      void follow(client, name, channel, abort.signal).finally(() => following.delete(name));
    }
  };
};

async function follow(
  client: EngineClient,
  name: string,
  channel: vscode.OutputChannel,
  signal: AbortSignal,
): Promise<void> {
  try {
    const log = await client.logs(name, { tail: firstLines, follow: true, signal });
    log.setEncoding('utf8');
    for await (const chunk of log) {
      channel.append(String(chunk));
    }
    channel.appendLine(t('— end of the log: the workspace does not run —'));
  } catch (error) {
    if (!signal.aborted) {
      // Node says no more than "aborted" of a line that breaks.
      const why = error instanceof BerthError ? error.message : t('the engine does not answer any more');
      channel.appendLine(t('— the log ended: {0} —', why));
    }
  }
}
