/** The place that a file command works on: what was clicked, or what the user finds in a volume. */
import * as vscode from 'vscode';
import type { Volume } from '../../api';
import type { Services } from '../command';
import { pickPath } from '../pick-path';
import type { Place } from '../targets';
import { isRow } from '../../providers/trees/rows';
import { Cancelled } from '../../ui/runner';
import { parentPath } from '../../api/rules/volume-path';

const { t } = vscode.l10n;

export type PlaceServices = Pick<Services, 'targets' | 'link'>;

/** All that is selected, or what the user picks. Throws `Cancelled`, also for a row that is no place: keys work on every row. */
export async function placesOrPick(
  { targets, link }: PlaceServices,
  target: unknown,
  selected: unknown,
  title: string,
): Promise<Place[]> {
  const places = await targets.places(target, selected);
  if (places.length > 0) {
    return places;
  }
  const { name } = await pickVolumeUnlessRow(targets, target, title);
  return [await pickPath(await link.client(), name, { title })];
}

/** The folder itself, or the folder of a clicked file. Throws `Cancelled`, as `placesOrPick` does. */
export async function folderOrPick(
  { targets, link }: PlaceServices,
  target: unknown,
  title: string,
): Promise<{ volume: string; path: string }> {
  const [place] = await targets.places(target, undefined);
  if (place !== undefined) {
    return { volume: place.volume, path: place.isFolder ? place.path : parentPath(place.path) };
  }
  const { name } = await pickVolumeUnlessRow(targets, target, title);
  const { volume, path } = await pickPath(await link.client(), name, { title, foldersOnly: true });
  return { volume, path };
}

function pickVolumeUnlessRow(targets: Services['targets'], target: unknown, title: string): Promise<Volume> {
  if (isRow(target)) {
    throw new Cancelled();
  }
  return targets.pickVolume({ placeHolder: t('{0}: choose a volume', title) });
}
