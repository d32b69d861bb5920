import * as vscode from 'vscode';
import type { PublishedPort } from '../../api';
import type { Handler, Services } from '../command';
import { confirm, reportDone } from '../input';
import { changePorts, offersRebuild } from './change';
import { pickPort, type PublishedAddress } from './pick';

const { t } = vscode.l10n;
type PortServices = Pick<Services, 'link' | 'runner' | 'store' | 'targets'>;

/** Publishes the ports whose rows are selected, or a chosen one, no more; of several after a question that names them. */
export const removePort =
  (services: PortServices): Handler =>
  async (target, selected) => {
    const rows = services.targets.rows(target, selected).filter((row) => row.type === 'published');
    const meant = rows.length > 0 ? rows : [await pickPort(services, target)];
    if (meant.length > 1) {
      await confirm({
        message: t('Stop publishing {0} ports?', meant.length),
        detail: meant.map((each) => `127.0.0.1:${each.host} · ${labelOf(services, each)}`).join('\n'),
        act: t('Stop Publishing'),
        harmless: { title: t('Keep') },
      });
    }
    const removed: Removed[] = [];
    for (const [workspace, hosts] of byWorkspace(meant)) {
      removed.push(...(await removeFrom(services, workspace, hosts)));
    }
    if (removed.length > 0) {
      await reportDone(doneWords(removed), () => publishAgain(services, removed));
    }
  };

/** What one workspace no longer publishes, at once. */
interface Removed {
  workspace: string;
  ports: PublishedPort[];
}

const labelOf = ({ store }: PortServices, { workspace }: Pick<PublishedAddress, 'workspace'>): string =>
  store.workspace(workspace)?.label ?? workspace;

function byWorkspace(ports: readonly PublishedAddress[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { workspace, host } of ports) {
    found.set(workspace, [...(found.get(workspace) ?? []), host]);
  }
  return found;
}

/** Nothing where it failed, or waits for a rebuild, which is offered. */
async function removeFrom(services: PortServices, workspace: string, hosts: number[]): Promise<Removed[]> {
  const isMeant = ({ host = 0 }: PublishedPort): boolean => hosts.includes(host);
  const label = labelOf(services, { workspace });
  const title = t('Removing the port {0} of {1}', hosts.join(', '), label);
  const outcome = await changePorts(services, title, workspace, (ports) =>
    ports.filter((each) => !isMeant(each)),
  );
  if (outcome.kind !== 'done' || offersRebuild(outcome.value.workspace)) return [];
  const ports = outcome.value.before.filter(isMeant);
  // Somebody else was first: there is nothing to say, and nothing to undo.
  return ports.length === 0 ? [] : [{ workspace, ports }];
}

function doneWords(removed: readonly Removed[]): string {
  const [first, ...others] = removed.flatMap(({ ports }) => ports);
  return others.length === 0
    ? t('127.0.0.1:{0} is no longer published.', first?.host ?? 0)
    : t('{0} ports are no longer published.', others.length + 1);
}

async function publishAgain(services: PortServices, removed: readonly Removed[]): Promise<void> {
  for (const { workspace, ports: before } of removed) {
    const label = labelOf(services, { workspace });
    const title = t('Publishing port {0} of {1}', before.map(({ host }) => host).join(', '), label);
    await changePorts(services, title, workspace, (ports) => [...ports, ...before]);
  }
}
