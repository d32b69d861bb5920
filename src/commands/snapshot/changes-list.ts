/** What has changed between two trees, as a list that fills while they are compared; closing it ends the comparison. */
import * as vscode from 'vscode';
import { asBerthError } from '../../api';
import { compare } from '../../client/compare';
import { plainItem } from '../../ui/pick';
import { Cancelled } from '../../ui/runner';
import { ChangeRows, type ChangeRow } from './change-rows';
import { endWords } from './change-words';
import { openAll, openChange, reportFailure, type ComparedSide, type ComparedSides } from './open-changes';
import { canBeTakenBack, takeBack, type TakingServices } from './take-back';

const { t } = vscode.l10n;
/** How often the list may go to the window. */
const redrawMs = 250;

/** Resolves when a change, or all, was opened, or taken back. Throws `Cancelled` when the list is closed. */
export async function chooseChange(services: TakingServices, sides: ComparedSides): Promise<void> {
  const { before, after, volume } = sides;
  const client = await services.link.client();
  const pick = vscode.window.createQuickPick<ChangeRow>();
  const abort = new AbortController();
  const back = { iconPath: new vscode.ThemeIcon('discard'), tooltip: t('Restore This File or Folder') };
  const all = { iconPath: new vscode.ThemeIcon('diff-multiple'), tooltip: t('Open All Changes') };
  const rows = new ChangeRows((change) => (volume !== undefined && canBeTakenBack(change) ? [back] : []), {
    before: before.title,
    after: after.title,
  });
  const draw = (): void => void (pick.items = rows.draw().map((row) => plainItem(row)));
  const title = `${before.title} ↔ ${after.title}`;
  Object.assign(pick, { title, busy: true, matchOnDescription: true, placeholder: t('Comparing…') });
  pick.buttons = [all];
  const timer = setInterval(() => rows.isDue && draw(), redrawMs);
  try {
    const done = await new Promise<() => Promise<void>>((resolve, reject) => {
      pick.onDidHide(() => reject(new Cancelled()));
      pick.onDidAccept(() => {
        const work = pick.selectedItems[0] && acceptedOf(pick.selectedItems[0], sides);
        if (work !== undefined) {
          resolve(work);
        }
      });
      pick.onDidTriggerButton(() => resolve(() => openAll(rows.opened, sides, title)));
      pick.onDidTriggerItemButton(({ item: { change } }) => {
        if (change !== undefined) {
          resolve(() => takeBack(services, change, { from: before.name, volume: volume ?? '' }));
        }
      });
      pick.show();
      const listener = {
        changes: rows.add.bind(rows),
        failed: rows.addFailures.bind(rows),
      };
      compare(client, rootOf(before), rootOf(after), listener, abort.signal).then(
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

const rootOf = ({ name }: ComparedSide) => ({ volume: name, path: '/' });

/** Undefined of the row that says how many more there are. */
function acceptedOf({ change, failure }: ChangeRow, sides: ComparedSides): (() => Promise<void>) | undefined {
  if (change !== undefined) {
    return () => openChange(change, sides);
  }
  return failure && (() => reportFailure(failure, sides));
}
