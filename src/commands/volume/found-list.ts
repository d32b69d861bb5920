/** A list that fills while the engine finds, and whose closing ends the search. */
import * as vscode from 'vscode';
import { asBerthError, type FindEnd, type FindQuery, type FoundLine } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import { find } from '../../client/find';
import type { VolumePlace } from '../../providers/files/volume-uri';
import { plainItem } from '../../ui/pick';
import { byPath } from './found-text';
import { Cancelled } from '../../ui/runner';

const { t } = vscode.l10n;
/** Each time the whole list goes to the window. */
const redrawMs = 250;

export interface FoundItem extends vscode.QuickPickItem {
  path: string;
  line?: FoundLine;
}

export interface ForAll {
  icon: string;
  tooltip: string;
  open: (items: readonly FoundItem[], summary: string) => Promise<void>;
}

export interface FoundListOptions {
  title: string;
  query: FindQuery;
  itemOf: (found: string | FoundLine) => FoundItem;
  /** Of all that was found. */
  summary: (items: readonly FoundItem[]) => string;
  /** What stands above all that was found in one file; absent: files are not told apart. */
  groupOf?: (path: string, count: number) => string;
  /** Buttons for all that was found, in place of one of it. */
  all?: readonly ForAll[];
}

/** Resolves with what was chosen, undefined when all was opened; throws `Cancelled` when the list is closed, and what is wrong with the question. */
export async function chooseFound(
  client: EngineClient,
  { volume, path }: VolumePlace,
  { title, query, itemOf, summary, groupOf, all = [] }: FoundListOptions,
): Promise<FoundItem | undefined> {
  const pick = vscode.window.createQuickPick<FoundItem>();
  const abort = new AbortController();
  const items: FoundItem[] = [];
  let drawn = 0;
  const draw = (): void => {
    pick.items = groupOf === undefined ? [...items] : grouped(items, groupOf);
    drawn = items.length;
  };
  const add = (found: readonly (string | FoundLine)[]): void =>
    void items.push(...found.map((each) => plainItem(itemOf(each))));
  Object.assign(pick, { title, busy: true, matchOnDescription: true, placeholder: t('Searching…') });
  let rest = [t('the search had not ended')];
  const said = (): string => [summary(items), ...rest].join(' · ');
  const timer = setInterval(() => drawn < items.length && draw(), redrawMs);
  try {
    return await new Promise<FoundItem | undefined>((resolve, reject) => {
      pick.onDidHide(() => reject(new Cancelled()));
      pick.onDidAccept(() => {
        const [chosen] = pick.selectedItems;
        if (chosen !== undefined) {
          resolve(chosen);
        }
      });
      pick.buttons = all.map(({ icon, tooltip }) => ({ iconPath: new vscode.ThemeIcon(icon), tooltip }));
      pick.onDidTriggerButton(({ tooltip }) => {
        const pressed = all.find((each) => each.tooltip === tooltip);
        if (pressed !== undefined && items.length > 0) {
          pressed.open(items, said()).then(() => resolve(undefined), reject);
        }
      });
      pick.show();
      find(client, volume, { path, ...query }, { files: add, lines: add }, abort.signal).then(
        (end) => {
          draw();
          rest = remarks(end, query);
          pick.busy = false;
          pick.placeholder = said();
        },
        (error: unknown) => reject(asBerthError(error)),
      );
    });
  } finally {
    clearInterval(timer);
    abort.abort();
    pick.dispose();
  }
}

/** Below a line for each file, in the order in which the files were found. */
function grouped(items: readonly FoundItem[], groupOf: (path: string, count: number) => string): FoundItem[] {
  return [...byPath(items)].flatMap(([path, found]) => [
    plainItem({ label: groupOf(path, found.length), path, kind: vscode.QuickPickItemKind.Separator }),
    ...found,
  ]);
}

/** What a list does not show. */
function remarks({ hasMore, binary, tooLarge, unread }: FindEnd, query: FindQuery): string[] {
  return [
    hasMore ? t('there are more: search for something narrower') : '',
    binary === 0 ? '' : binary === 1 ? t('1 binary file skipped') : t('{0} binary files skipped', binary),
    tooLarge === 0
      ? ''
      : tooLarge === 1
        ? t('1 file of more than 16 MiB skipped')
        : t('{0} files of more than 16 MiB skipped', tooLarge),
    unread > 0 ? t('{0} could not be read', unread) : '',
    ...globsWords(query),
  ].filter((remark) => remark !== '');
}

/** Which files were looked at. */
function globsWords({ include = '', exclude = '' }: Pick<FindQuery, 'include' | 'exclude'>): string[] {
  const spaced = (globs: string): string => globs.replace(/\s*,\s*/g, ', ');
  return [
    include === '' ? '' : t('only {0}', spaced(include)),
    exclude === '' ? '' : t('without {0}', spaced(exclude)),
  ].filter((words) => words !== '');
}
