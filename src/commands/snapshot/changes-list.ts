/** What has changed between two trees, as a list that fills while they are compared; closing it ends the comparison. */
import * as vscode from 'vscode';
import { asBerthError, type Change, type CompareEnd } from '../../api';
import { baseName } from '../../api/rules/volume-path';
import { compare } from '../../client/compare';
import { plainItem } from '../../ui/pick';
import { Cancelled } from '../../ui/runner';
import { canBeTakenBack, takeBack, type TakingServices } from './take-back';

const { t } = vscode.l10n;
/** Each time the whole list goes to the window. */
const redrawMs = 250;
/** More editors at once are of no use to anybody. */
const maxOpened = 200;
const icons: Readonly<Record<Change['kind'], string>> = {
  ...{ added: 'diff-added', removed: 'diff-removed', changed: 'diff-modified' },
  ...{ type: 'diff-renamed', metadata: 'settings' },
};

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

interface ChangeItem extends vscode.QuickPickItem {
  change: Change;
}

/** Resolves when a change, or all, was opened, or taken back. Throws `Cancelled` when the list is closed. */
export async function chooseChange(services: TakingServices, sides: ComparedSides): Promise<void> {
  const { before, after, volume } = sides;
  const client = await services.link.client();
  const pick = vscode.window.createQuickPick<ChangeItem>();
  const abort = new AbortController();
  const items: ChangeItem[] = [];
  const back = { iconPath: new vscode.ThemeIcon('discard'), tooltip: t('Restore This File or Folder') };
  const all = { iconPath: new vscode.ThemeIcon('diff-multiple'), tooltip: t('Open All Changes') };
  const add = (changes: readonly Change[]): void => {
    const made = changes.map((change) =>
      itemOf(change, volume !== undefined && canBeTakenBack(change) ? [back] : []),
    );
    items.push(...made);
  };
  let drawn = 0;
  const draw = (): void => {
    drawn = items.length;
    pick.items = [...items].sort((one, other) => (one.change.path < other.change.path ? -1 : 1));
  };
  const title = `${before.title} ↔ ${after.title}`;
  Object.assign(pick, { title, busy: true, matchOnDescription: true, placeholder: t('Comparing…') });
  pick.buttons = [all];
  const timer = setInterval(() => drawn < items.length && draw(), redrawMs);
  try {
    const done = await new Promise<() => Promise<void>>((resolve, reject) => {
      pick.onDidHide(() => reject(new Cancelled()));
      pick.onDidAccept(() => {
        const [chosen] = pick.selectedItems;
        if (chosen !== undefined) {
          resolve(() => openChange(chosen.change, sides));
        }
      });
      pick.onDidTriggerButton(() => resolve(() => openAll(items, sides, title)));
      pick.onDidTriggerItemButton(({ item }) =>
        resolve(() => takeBack(services, item.change, { from: before.name, volume: volume ?? '' })),
      );
      pick.show();
      const places = [before, after].map(({ name }) => ({ volume: name, path: '/' }));
      const [one = { volume: '', path: '/' }, other = one] = places;
      compare(client, one, other, { changes: add }, abort.signal).then(
        (end) => {
          draw();
          pick.busy = false;
          pick.placeholder = endWords(end);
        },
        (error: unknown) => reject(asBerthError(error)),
      );
    });
    pick.hide();
    await done();
  } finally {
    clearInterval(timer);
    abort.abort();
    pick.dispose();
  }
}

function itemOf(change: Change, buttons: vscode.QuickInputButton[]): ChangeItem {
  const { path, kind, what = [] } = change;
  const item = plainItem({ label: path, description: wordsOf(kind, what.join(', ')), change, buttons });
  return { ...item, iconPath: new vscode.ThemeIcon(icons[kind]) };
}

function wordsOf(kind: Change['kind'], what: string): string {
  const words = {
    added: t('added'),
    removed: t('removed'),
    changed: t('changed'),
    type: t('another kind of file'),
    metadata: t('another mode, owner or attributes'),
  };
  return kind === 'metadata' ? `${words[kind]} (${what})` : words[kind];
}

/** Of a file on one side only, against nothing. */
async function openChange({ path, before, after }: Change, sides: ComparedSides): Promise<void> {
  const title = `${baseName(path)} (${sides.before.title} ↔ ${sides.after.title})`;
  const [was, is] = [uriOf(sides.before, path, before), uriOf(sides.after, path, after)];
  if (was !== undefined && is !== undefined) {
    await vscode.commands.executeCommand('vscode.diff', was, is, title);
  } else if (was !== undefined || is !== undefined) {
    await vscode.commands.executeCommand('vscode.changes', title, [[is ?? was, was, is]]);
  }
}

async function openAll(items: readonly ChangeItem[], sides: ComparedSides, title: string): Promise<void> {
  const rows = items
    .map(({ change: { path, before, after } }) => [
      uriOf(sides.before, path, before),
      uriOf(sides.after, path, after),
    ])
    .filter(([was, is]) => was !== undefined || is !== undefined)
    .slice(0, maxOpened);
  await vscode.commands.executeCommand(
    'vscode.changes',
    title,
    rows.map(([was, is]) => [is ?? was, was, is]),
  );
}

/** What an editor shows: folders, devices and the like it does not. */
function uriOf({ uri }: ComparedSide, path: string, file: Change['before']): vscode.Uri | undefined {
  return file?.type === 'file' ? vscode.Uri.joinPath(uri, path) : undefined;
}

function endWords({ added, removed, changed, metadata, unread }: CompareEnd): string {
  const counts = t(
    '{0} added, {1} removed, {2} changed, {3} with another mode',
    added,
    removed,
    changed,
    metadata,
  );
  return unread === 0 ? counts : `${counts} · ${t('{0} could not be read', unread)}`;
}
