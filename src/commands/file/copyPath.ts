import * as vscode from 'vscode';
import type { Handler } from '../command';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

/** Copies the paths inside their volumes, one per line. */
export const copyPath =
  (services: PlaceServices): Handler =>
  async (target, selected) => {
    const places = await placesOrPick(services, target, selected, t('Copy Path'));
    await vscode.env.clipboard.writeText(places.map(({ path }) => path).join('\n'));
  };
