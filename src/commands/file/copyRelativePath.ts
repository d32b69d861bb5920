import * as vscode from 'vscode';
import type { Handler } from '../command';
import { placesOrPick, type PlaceServices } from './place';

const { t } = vscode.l10n;

/** Copies paths as they are from the root of their volume, which is the home of a workspace, one per line. */
export const copyRelativePath =
  (services: PlaceServices): Handler =>
  async (target, selected) => {
    const places = await placesOrPick(services, target, selected, t('Copy Relative Path'));
    const paths = places.map(({ path }) => (path === '/' ? '.' : path.slice(1)));
    await vscode.env.clipboard.writeText(paths.join('\n'));
  };
