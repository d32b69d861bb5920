import * as vscode from 'vscode';
import type { Volume, Workspace } from '../../../api';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import { hasProduced } from '../../../api/rules/results';
import { isLive, refuseProtected, worksIn } from '../../../api/rules/lifecycle';
import type { EngineClient } from '../../../client/engine-client';
import type { Store } from '../../../ui/store';
import { runtimeWords, usedWords } from '../../../ui/words';
import type { Handler, Services } from '../../command';
import { confirm } from '../../input';
import { fateWords, offerUndo } from '../../trash/items';
import { runVerb, verbChoice } from './verb';

const { t } = vscode.l10n;
/** Measuring a large volume may take long: the dialog then opens without its size. */
const measureTimeoutMs = 5_000;

/** Deletes workspaces with their own volumes, after a dialog that names what goes, with sizes. */
export const deleteWorkspace =
  (services: Pick<Services, 'targets' | 'runner' | 'store' | 'link'>): Handler =>
  async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, {
      ...verbChoice('delete'),
      eligible: () => true,
      offered: () => true,
    });
    workspaces.forEach((each) => refuseProtected('delete', each));
    const client = await services.link.client();
    const goes = await Promise.all(workspaces.map((each) => whatGoes(client, services.store, each)));
    const [only] = workspaces;
    const message =
      workspaces.length === 1 && only
        ? t('Delete workspace {0} and its files?', only.label)
        : t('Delete {0} workspaces and their files?', workspaces.length);
    // To set aside what runs ends its programs: that is no button for Enter.
    const isArchivable = workspaces.every(({ state }) => worksIn('archive', state) && !isLive(state));
    await confirm({
      message,
      detail: [...goes, await fateOf(client, workspaces)].join('\n\n'),
      act: t('Delete'),
      harmless: isArchivable
        ? { title: t('Archive Instead'), run: () => runVerb(services, 'archive', workspaces) }
        : { title: t('Keep') },
    });
    const outcome = await runVerb(services, 'delete', workspaces);
    if (outcome.kind === 'done') {
      const made = outcome.value.flatMap((ended) =>
        hasProduced(ended, 'workspace.delete') ? (ended.result.trash ?? []) : [],
      );
      await offerUndo(services, made);
    }
  };

/** Whether they can be had back: one that is temporary goes for good. */
async function fateOf(client: EngineClient, workspaces: readonly Workspace[]): Promise<string> {
  const kept = workspaces.filter(({ temporary }) => temporary !== true);
  if (kept.length === 0) {
    return t('This cannot be undone.');
  }
  const fate = await fateWords(client, lostWords(kept));
  const lost = workspaces.filter(({ temporary }) => temporary === true).map(({ name }) => name);
  return lost.length === 0
    ? fate
    : `${fate}\n${t('Gone for good, as it is temporary: {0}', lost.join(', '))}`;
}

/** What the trash does not keep of them. */
const lostWords = (workspaces: readonly Workspace[]): string[] => [
  ...(workspaces.some(({ spec }) => (spec.secretNames ?? []).length > 0)
    ? [t('Values of secrets are not kept.')]
    : []),
  ...(workspaces.some(({ spec, dockerVolume }) => dockerVolume !== undefined && spec.runtime === 'container')
    ? [t('Images, containers and volumes of the Docker inside are not kept.')]
    : []),
];

/** A workspace with its own volumes, a line each with its size; for dialogs. */
export async function whatGoes(client: EngineClient, store: Store, workspace: Workspace): Promise<string> {
  const own = ownVolumesOf(workspace);
  const sizes = await Promise.all(own.map((name) => measured(client, store, name)));
  const kept = (workspace.spec.mounts ?? [])
    .map(({ source }) => source)
    .filter((source) => !own.includes(source));
  return [
    workspace.label === workspace.name ? workspace.name : t('{0} ({1})', workspace.label, workspace.name),
    ...own.map((name, index) => t('• volume {0}: {1}', name, sizes[index] ?? '')),
    workspace.runtimeId === undefined
      ? ''
      : t('• {0} {1}', runtimeWords(workspace.spec.runtime).name, workspace.runtimeName),
    kept.length === 0 ? '' : t('Kept: {0}', kept.join(', ')),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

async function measured(client: EngineClient, store: Store, volume: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(measureTimeoutMs);
    const take = store.awaitVolume(volume);
    const answer: Volume = await client.call('volumes.get', {
      params: { volume },
      query: { usage: true },
      signal,
    });
    take(answer);
    return usedWords(answer) ?? t('size unknown');
  } catch {
    return t('size unknown');
  }
}
