import * as vscode from 'vscode';
import { defaultKeep } from '../../api/snapshots/default-keep';
import type { AutomaticSnapshots } from '../../api/snapshots/schemas';
import { pickOne } from '../../ui/pick';
import type { Handler, Services } from '../command';
import { reportDone } from '../input';

const { t } = vscode.l10n;
const [hour, day] = [60, 1_440];

const choices: readonly AutomaticSnapshots[] = [
  { every: 0, atStop: false },
  { every: 0, atStop: true },
  { every: hour, atStop: false },
  { every: hour, atStop: true },
  { every: 6 * hour, atStop: true },
  { every: day, atStop: false },
  { every: day, atStop: true },
];

/** When a workspace makes snapshots by itself, in words. */
export function automaticWords({ every = 0, atStop = false }: AutomaticSnapshots): string {
  const words = [...(every > 0 ? [intervalWords(every)] : []), ...(atStop ? [t('at each stop')] : [])];
  return words.length === 0 ? t('never') : words.join(', ');
}

function intervalWords(minutes: number): string {
  if (minutes === hour) return t('every hour');
  if (minutes === day) return t('every day');
  return minutes % hour === 0 ? t('every {0} hours', minutes / hour) : t('every {0} minutes', minutes);
}

/** Of what a workspace writes to. Which of them stay is kept as it was set, by the command line for one. */
export const automaticSnapshots =
  ({ targets, runner, store }: Pick<Services, 'targets' | 'runner' | 'store'>): Handler =>
  async (target) => {
    const workspace = await targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace that makes snapshots by itself'),
      none: t('There is no workspace.'),
    });
    const before = workspace.spec.snapshots ?? {};
    const chosen = await pickOne(itemsOf(before), {
      title: t('Snapshots of {0} by Themselves', workspace.label),
      placeHolder: t('When to make one of its home and of the volumes it writes to'),
    });
    if (chosen === undefined) {
      return;
    }
    const change = (snapshots: AutomaticSnapshots) =>
      runner.run(t('Changing the snapshots of {0}', workspace.label), async ({ client }) => {
        const take = store.awaitWorkspace(workspace.name);
        const params = { name: workspace.name };
        const changed = await client.call('workspaces.update', { params, body: { snapshots } });
        take(changed);
        return changed.spec.snapshots ?? {};
      });
    const outcome = await change({ ...before, ...chosen.policy });
    if (outcome.kind === 'done') {
      await reportDone(
        t('{0} makes snapshots by itself: {1}.', workspace.label, automaticWords(outcome.value)),
        async () => {
          await change(before);
        },
      );
    }
  };

function itemsOf(before: AutomaticSnapshots) {
  const now = automaticWords(before);
  const { keepHourly = 0, keepDaily = 0, keepWeekly = 0 } = defaultKeep;
  const kept =
    before.keep === undefined
      ? t(
          'The newest of the last {0} hours, {1} days and {2} weeks stay; those made by hand always do.',
          keepHourly,
          keepDaily,
          keepWeekly,
        )
      : t('Which of them stay is set for this workspace; those made by hand always do.');
  return choices.map((policy) => {
    const words = automaticWords(policy);
    return {
      label: words,
      ...(words === now && { description: t('as it is now') }),
      ...(words !== automaticWords({}) && { detail: kept }),
      policy,
    };
  });
}
