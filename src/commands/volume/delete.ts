import * as vscode from 'vscode';
import type { Volume } from '../../api';
import { heldVolume, protectedVolume } from '../../api/rules/holder';
import { canHaveSnapshots } from '../../api/snapshots/possible';
import type { EngineClient } from '../../client/engine-client';
import { names, usedWords } from '../../ui/words';
import type { Handler, Services } from '../command';
import { downloadPlaces } from '../file/download';
import { confirm } from '../input';
import { fateWords, offerUndo } from '../trash/items';
import type { Place } from '../targets';
import { showWarningMessage } from '../../ui/messages';

const { t } = vscode.l10n;
const measureTimeoutMs = 5_000;

/**
 * Deletes volumes that nothing holds, after a dialog with names and sizes; other tools' ones are asked for twice.
 * Throws `illegal_state` for a protected volume.
 */
export const deleteVolume =
  (services: Pick<Services, 'link' | 'runner' | 'store' | 'targets' | 'transfers'>): Handler =>
  async (target, selected) => {
    const { link, targets } = services;
    const chosen = await targets.volumes(target, selected, {
      placeHolder: t('Volume to delete'),
      offered: ({ holders, protected: isProtected }) => holders.length === 0 && isProtected !== true,
      none: t('Every volume is protected, or in use by a workspace.'),
    });
    // First: it would stay protected when nothing held it any more.
    const guarded = chosen.find((volume) => volume.protected === true);
    if (guarded !== undefined) {
      throw protectedVolume(guarded.name);
    }
    const volumes = chosen.filter(({ holders }) => holders.length === 0);
    reportHeld(chosen.filter(({ holders }) => holders.length > 0));
    if (volumes.length === 0) {
      return;
    }
    const client = await link.client();
    const lines = await Promise.all(volumes.map((volume) => describe(client, volume)));
    const [only] = volumes;
    const canBeKept = volumes.every(canHaveSnapshots);
    const fate = canBeKept ? await fateWords(client) : t('This cannot be undone.');
    const message =
      volumes.length === 1 && only
        ? t('Delete volume {0} and all its files?', only.name)
        : t('Delete {0} volumes and all their files?', volumes.length);
    await confirm({
      message,
      detail: [...lines, '', fate].join('\n'),
      act: t('Delete'),
      harmless: {
        title: t('Download Instead…'),
        run: () => downloadPlaces(services, volumes.map(wholeVolume)),
      },
    });
    const foreign = volumes.filter(({ managed }) => !managed).map(({ name }) => name);
    if (foreign.length > 0) {
      await confirm({
        message: t('{0} was made by another tool. Delete it anyway?', names(foreign)),
        detail: t('The other tool may still need it.'),
        act: t('Delete Anyway'),
        harmless: { title: t('Keep') },
      });
    }
    await remove(services, volumes, canBeKept);
  };

/** Offers to have them back where they were kept. */
async function remove(
  services: Pick<Services, 'link' | 'runner' | 'store'>,
  volumes: readonly Volume[],
  isKept: boolean,
): Promise<void> {
  const all = volumes.map(({ name }) => name);
  const outcome = await services.runner.run(t('Deleting {0}', names(all)), async (task) => {
    const kept: string[] = [];
    for (const { name, managed } of volumes) {
      const query = { ...(!managed && { force: true }), ...(!isKept && { now: true }) };
      const request = { params: { volume: name }, query, signal: task.signal };
      const { trash } = await task.client.call('volumes.delete', request);
      kept.push(...(trash === undefined ? [] : [trash]));
      services.store.take({ type: 'volume.deleted', payload: { name } });
    }
    return kept;
  });
  if (outcome.kind === 'done' && isKept) {
    await offerUndo(services, outcome.value);
  }
}

const wholeVolume = ({ name }: Volume): Place => ({ volume: name, path: '/', isFolder: true });

function reportHeld(held: readonly Volume[]): void {
  const [first] = held;
  if (first !== undefined) {
    const { message, hint } = heldVolume(first);
    void showWarningMessage(
      held.length === 1
        ? `${message} ${hint ?? ''}`
        : t('{0} volumes are in use by workspaces and stay.', held.length),
    );
  }
}

async function describe(client: EngineClient, { name }: Volume): Promise<string> {
  try {
    const signal = AbortSignal.timeout(measureTimeoutMs);
    const volume = await client.call('volumes.get', {
      params: { volume: name },
      query: { usage: true },
      signal,
    });
    return `${name}: ${usedWords(volume) ?? t('size unknown')}`;
  } catch {
    return `${name}: ${t('size unknown')}`;
  }
}
