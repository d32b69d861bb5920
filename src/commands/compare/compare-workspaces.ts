/** What two workspaces differ in: their homes, or what a fork has of a volume of its source. */
import * as vscode from 'vscode';
import type { Workspace } from '../../api';
import { isForkOf } from '../../api/workspaces/fork-of';
import { volumeUri } from '../../providers/files/volume-uri';
import { pickOne } from '../../ui/pick';
import { Cancelled } from '../../ui/runner';
import type { Handler, Services } from '../command';
import type { ComparedSide, ComparedSides } from '../snapshot/open-changes';
import type { Comparison } from './comparison';

const { t } = vscode.l10n;

type CompareServices = Pick<Services, 'targets' | 'store'> & { comparison: Comparison };

/** A fork with the workspace that it was made of. */
export const compareWithSource =
  ({ targets, store, comparison }: CompareServices): Handler =>
  async (target) => {
    const sourceOf = (fork: Workspace): Workspace | undefined =>
      store.workspaces.find((each) => isForkOf(fork, each));
    const fork = await targets.workspace(target, {
      eligible: (each) => sourceOf(each) !== undefined,
      placeHolder: t('Fork to compare with its source'),
      none: t('There is no fork whose source is still there.'),
    });
    const source = sourceOf(fork);
    if (source !== undefined) {
      await comparison.show(await pickSides(source, fork));
    }
  };

/**
 * Two selected workspaces, the upper one first; of one, with another that is chosen. Throws `Cancelled` when none is
 * chosen.
 */
export const compareWorkspaces =
  ({ targets, comparison }: CompareServices): Handler =>
  async (target, selected) => {
    const choice = { eligible: () => true, none: t('There is no other workspace.') };
    const placeHolder = t('First workspace to compare');
    const [first, second] = await targets.workspaces(target, selected, { ...choice, placeHolder });
    if (first === undefined) {
      throw new Cancelled();
    }
    const other =
      second ??
      (await targets.workspace(undefined, {
        ...choice,
        eligible: ({ name }) => name !== first.name,
        placeHolder: t('Workspace to compare {0} with', first.label),
      }));
    await comparison.show({ before: homeOf(first), after: homeOf(other) });
  };

function homeOf({ label, homeVolume }: Workspace): ComparedSide {
  return { name: homeVolume, title: label, uri: volumeUri(homeVolume, '/') };
}

/** Of a fork that has copies of other volumes, which of them. */
async function pickSides(source: Workspace, fork: Workspace): Promise<ComparedSides> {
  const homes = { before: homeOf(source), after: homeOf(fork) };
  const copies = fork.forkedFrom?.volumes ?? [];
  if (copies.length === 0) {
    return homes;
  }
  const sideOf = (name: string): ComparedSide => ({ name, title: name, uri: volumeUri(name, '/') });
  const items = [
    { label: t('Home'), description: fork.homeVolume, sides: homes },
    ...copies.map(({ volume, copyOf }) => ({
      label: copyOf,
      description: volume,
      sides: { before: sideOf(copyOf), after: sideOf(volume) },
    })),
  ];
  const chosen = await pickOne(items, { placeHolder: t('What of {0} to compare', fork.label) });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen.sides;
}
