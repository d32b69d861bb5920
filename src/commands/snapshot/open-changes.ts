/** Changes in editors; of what has none, a message says what it was and what it is. */
import * as vscode from 'vscode';
import type { Change, CompareFailure } from '../../api';
import { baseName } from '../../api/rules/volume-path';
import { showInformationMessage, showWarningMessage } from '../../ui/messages';
import { printable } from '../../ui/plain-label';
import type { ChangeRows } from './change-rows';
import { bothWords } from './change-words';

const { t } = vscode.l10n;
/** More editors at once are of no use to anybody. */
const maxOpened = 200;

export interface ComparedSide {
  /** Of a volume, or what stands for the files of a snapshot. */
  name: string;
  title: string;
  uri: vscode.Uri;
}

export interface ComparedSides {
  before: ComparedSide;
  after: ComparedSide;
  /** What is compared with now: files of it can be taken back. */
  volume?: string;
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
export async function openAll(
  { changes, left }: ChangeRows['opened'],
  sides: ComparedSides,
  title: string,
): Promise<void> {
  const rows = changes
    .filter(({ change }) => change.kind !== 'metadata')
    .map(({ change }) => urisOf(change, sides))
    .filter(([was, is]) => was !== undefined || is !== undefined);
  if (rows.length === 0) {
    void showInformationMessage(t('There is no change that an editor could show.'));
    return;
  }
  const opened = rows.slice(0, maxOpened);
  const all = changes.length + left;
  await vscode.commands.executeCommand(
    'vscode.changes',
    opened.length < all ? t('{0} ({1} of {2} changes)', title, opened.length, all) : title,
    opened.map(([was, is]) => [is ?? was, was, is]),
  );
  if (opened.length < rows.length + left) {
    void showInformationMessage(
      t('{0} of {1} changes are open: more at once can’t be shown.', opened.length, all),
    );
  }
}

/** Why it is not known what has changed there. */
export async function reportFailure({ path, side, reason }: CompareFailure, sides: ComparedSides) {
  const place = `${sides[side].title}:${printable(path)}`;
  await showWarningMessage(t('{0} could not be read: {1}', place, printable(reason)));
}

/** What an editor shows: folders, devices and the like it does not. */
function urisOf(
  { path, before, after }: Change,
  sides: ComparedSides,
): [vscode.Uri | undefined, vscode.Uri | undefined] {
  const uriOf = ({ uri }: ComparedSide, file: Change['before']): vscode.Uri | undefined =>
    file?.type === 'file' ? vscode.Uri.joinPath(uri, path) : undefined;
  return [uriOf(sides.before, before), uriOf(sides.after, after)];
}
