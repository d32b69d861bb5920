import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { reportDone } from '../input';
import { changePorts, offersRebuild } from './change';
import { pickPort } from './pick';

const { t } = vscode.l10n;

/** Publishes a port no more. */
export const removePort =
  (services: Pick<Services, 'link' | 'runner' | 'store'>): Handler =>
  async (target) => {
    const { workspace: name, host } = await pickPort(services, target);
    const label = services.store.workspace(name)?.label ?? name;
    const title = t('Removing the port {0} of {1}', host, label);
    const outcome = await changePorts(services, title, name, (ports) =>
      ports.filter((each) => each.host !== host),
    );
    if (outcome.kind !== 'done' || offersRebuild(outcome.value.workspace)) {
      return;
    }
    const removed = outcome.value.before.filter((each) => each.host === host);
    await reportDone(t('127.0.0.1:{0} is no longer published.', host), async () => {
      await changePorts(services, t('Publishing port {0} of {1}', host, label), name, (ports) => [
        ...ports,
        ...removed,
      ]);
    });
  };
