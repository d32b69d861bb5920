/** What is in the trash, in words, and how it is had back. */
import * as vscode from 'vscode';
import { isName } from '../../api/rules/names';
import { formatBytes } from '../../ui/sizes';
import type { TrashItem } from '../../api/trash/schemas';
import type { EngineClient } from '../../client/engine-client';
import { names, time } from '../../ui/words';
import type { Services } from '../command';
import { ask, reportDone } from '../input';
import { nameMessage } from '../workspace/create/name-words';

const { t } = vscode.l10n;

export type TrashServices = Pick<Services, 'link' | 'runner' | 'store'>;

/** What it is, since when, and until when it can be had back. */
export function itemWords({ kind, deletedAt, expiresAt }: TrashItem): string {
  return [
    kind === 'workspace' ? t('workspace') : t('volume'),
    t('deleted {0}', time(deletedAt)),
    ...(expiresAt === undefined ? [] : [t('kept until {0}', time(expiresAt))]),
  ].join(' · ');
}

/** Bytes of the files in them. */
export const trashBytes = (items: readonly TrashItem[]): number =>
  items.reduce((sum, { usedBytes }) => sum + usedBytes, 0);

/** Under its name, or, where that is taken, under another one that is asked for. Answers whether it is back. */
export async function restoreItem(services: TrashServices, item: TrashItem): Promise<boolean> {
  const { runner, store } = services;
  const isTaken = (name: string): boolean =>
    item.kind === 'workspace' ? store.workspace(name) !== undefined : store.volume(name) !== undefined;
  const name = isTaken(item.name) ? await otherName(services, item, isTaken) : undefined;
  const target = name ?? item.name;
  const outcome = await runner.run(t('Restoring {0}', target), async (task) => {
    const body = name === undefined ? {} : { name };
    return task.follow(await task.client.call('trash.restore', { params: { item: item.id }, body }));
  });
  return outcome.kind === 'done';
}

function otherName(
  { store }: TrashServices,
  item: TrashItem,
  isTaken: (name: string) => boolean,
): Promise<string> {
  const volumeProblem = (name: string): string | undefined =>
    isTaken(name)
      ? t('There is another {0} by now.', name)
      : isName(name)
        ? undefined
        : t('Use only lowercase letters, digits and hyphens.');
  return ask({
    title: t('Restore {0} under another name', item.name),
    prompt: t('There is another {0} by now.', item.name),
    value: `${item.name}-restored`,
    validate: (text) => (item.kind === 'workspace' ? nameMessage(store, text) : volumeProblem(text)),
  });
}

/** After a delete that made these items: says that it can be had back, and has it back where that is pressed. Not where nothing was kept. */
export async function offerUndo(services: TrashServices, made: readonly string[]): Promise<void> {
  const client = await services.link.client();
  const all = await client.call('trash.list', {});
  const items = made.map((id) => all.find((item) => item.id === id)).filter((item) => item !== undefined);
  const until = items[0]?.expiresAt;
  if (until === undefined) {
    return;
  }
  const words = names(items.map(({ name }) => name));
  const lost = items.flatMap(({ notKept = [] }) => notKept).join(' ');
  const message = t('{0} is in the trash until {1}.', words, time(until));
  await reportDone(lost === '' ? message : `${message} ${t('Not kept: {0}', lost)}`, async () => {
    for (const item of items) {
      await restoreItem(services, item);
    }
  });
}

/** The last line of a dialog before a delete: whether it can be had back, and how. */
export async function fateWords(client: EngineClient, lost: readonly string[] = []): Promise<string> {
  const { trashDays = 0 } = await client.call('engine.info', { query: { drivers: false } });
  if (trashDays === 0) {
    return t('This cannot be undone.');
  }
  const kept =
    trashDays === 1
      ? t('Kept in the trash for a day: Restore from Trash… has it back.')
      : t('Kept in the trash for {0} days: Restore from Trash… has it back.', trashDays);
  return [kept, ...lost].join('\n');
}

/** Name and size, a line for each. */
export const itemLines = (items: readonly TrashItem[]): string[] =>
  items.map(({ name, kind, usedBytes }) =>
    kind === 'workspace'
      ? t('• workspace {0}: {1}', name, formatBytes(usedBytes))
      : t('• volume {0}: {1}', name, formatBytes(usedBytes)),
  );
