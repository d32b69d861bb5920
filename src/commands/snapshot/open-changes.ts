/** Changes in editors; of what has none, a message says what it was and what it is. */
import * as vscode from 'vscode';
import type { Change } from '../../api';
import { baseName } from '../../api/rules/volume-path';
import { placeOf, volumeUri } from '../../providers/files/volume-uri';
import { showInformationMessage } from '../../ui/messages';
import { bothWords } from './change-words';

const { t } = vscode.l10n;
/** More editors at once are of no use to anybody. */
const maxOpened = 200;

export interface ComparedSide {
  /** Of a volume, or what stands for the files of a snapshot. */
  name: string;
  title: string;
  uri: vscode.Uri;
  /** Nothing can be changed there: a snapshot. */
  isFixed?: true;
}

export interface ComparedSides {
  before: ComparedSide;
  after: ComparedSide;
}

/** Of a file on one side only, against nothing. */
export async function openChange(change: Change, sides: ComparedSides): Promise<void> {
  const { path, kind } = change;
  const title = `${baseName(path)} (${sides.before.title} ↔ ${sides.after.title})`;
  const [was, is] = urisOf(change, sides);
  // The contents are the same.
  if (kind === 'metadata' || (was ?? is) === undefined) {
    void showInformationMessage(bothWords(change));
  } else if (was !== undefined && is !== undefined) {
    await vscode.commands.executeCommand('vscode.diff', was, is, title);
  } else {
    await vscode.commands.executeCommand('vscode.changes', title, [[is ?? was, was, is]]);
  }
}

/** As many as one editor can show, and says how many these are of all. */
export async function openAll(changes: readonly Change[], sides: ComparedSides): Promise<void> {
  const title = `${sides.before.title} ↔ ${sides.after.title}`;
  const rows = [...changes]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .filter(({ kind }) => kind !== 'metadata')
    .map((change) => urisOf(change, sides))
    .filter(([was, is]) => was !== undefined || is !== undefined);
  if (rows.length === 0) {
    void showInformationMessage(t('There is no change that an editor could show.'));
    return;
  }
  const opened = rows.slice(0, maxOpened);
  const all = changes.length;
  await vscode.commands.executeCommand(
    'vscode.changes',
    opened.length < all ? t('{0} ({1} of {2} changes)', title, opened.length, all) : title,
    opened.map(([was, is]) => [is ?? was, was, is]),
  );
  if (opened.length < rows.length) {
    void showInformationMessage(
      t('{0} of {1} changes are open: more at once can’t be shown.', opened.length, all),
    );
  }
}

/** What an editor shows: folders, devices and the like it does not. */
function urisOf(
  { path, before, after }: Change,
  sides: ComparedSides,
): [vscode.Uri | undefined, vscode.Uri | undefined] {
  const uriOf = ({ uri }: ComparedSide, file: Change['before']): vscode.Uri | undefined =>
    file?.type === 'file' ? fileIn(uri, path) : undefined;
  return [uriOf(sides.before, before), uriOf(sides.after, after)];
}

/** By the URI that the file has in this window: an editor of it may be open. */
function fileIn(side: vscode.Uri, path: string): vscode.Uri {
  const { volume, path: folder } = placeOf(side);
  const file = (folder === '/' ? '' : folder) + path;
  const found = volumeUri(volume, file);
  return found.query === '' ? vscode.Uri.joinPath(side, path) : found;
}
