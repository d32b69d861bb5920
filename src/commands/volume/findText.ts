import * as vscode from 'vscode';
import { volumeUri } from '../../providers/files/volume-uri';
import { Cancelled } from '../../ui/runner';
import type { Handler, Services } from '../command';
import { chooseFound, type FoundItem } from './found-list';
import { searchedPlace } from './searched-place';

const { t } = vscode.l10n;
const maxLength = 1_000;

interface Wanted {
  text: string;
  caseSensitive: boolean;
  word: boolean;
  regex: boolean;
}

/** Finds text in the files of a volume, and opens a line of what was found. */
export const findText =
  ({ link, targets }: Pick<Services, 'link' | 'targets'>): Handler =>
  async (target) => {
    const place = await searchedPlace(targets, target);
    const wanted = await askForText(t('Find in {0}', place.volume));
    const chosen = await chooseFound(await link.client(), place, {
      title: t('“{0}” in {1}', wanted.text, place.volume),
      query: { ...wanted },
      itemOf: (found) =>
        typeof found === 'string'
          ? { label: found, path: found }
          : {
              label: found.text.trim() === '' ? ' ' : found.text.trim(),
              description: `${found.path}:${found.line}`,
              path: found.path,
              line: found,
            },
      summary: foundWords,
    });
    await vscode.window.showTextDocument(volumeUri(place.volume, chosen.path), {
      selection: selectionOf(chosen),
    });
  };

function foundWords(items: readonly FoundItem[]): string {
  const files = new Set(items.map(({ path }) => path)).size;
  const lines = items.length === 1 ? t('1 line') : t('{0} lines', items.length);
  return files === 1 ? t('{0} in 1 file', lines) : t('{0} in {1} files', lines, files);
}

function selectionOf({ line }: FoundItem): vscode.Range {
  const { line: number, column, length } = line ?? { line: 1, column: 1, length: 0 };
  return new vscode.Range(number - 1, column - 1, number - 1, column - 1 + length);
}

/** With a button for each way to look. Throws `Cancelled`. */
async function askForText(title: string): Promise<Wanted> {
  const box = vscode.window.createInputBox();
  const ways = { caseSensitive: false, word: false, regex: false };
  const kinds = [
    { way: 'caseSensitive', icon: 'case-sensitive', name: t('Match Case') },
    { way: 'word', icon: 'whole-word', name: t('Match Whole Word') },
    { way: 'regex', icon: 'regex', name: t('Use Regular Expression') },
  ] as const;
  const buttons = kinds.map(({ icon, name }) => ({ iconPath: new vscode.ThemeIcon(icon), tooltip: name }));
  const say = (): void => {
    const chosen = kinds.filter(({ way }) => ways[way]).map(({ name }) => name);
    box.prompt = chosen.length === 0 ? t('Text to find, in any case') : chosen.join(', ');
  };
  Object.assign(box, { title, buttons, value: selectedText() });
  say();
  try {
    const text = await new Promise<string>((resolve, reject) => {
      box.onDidTriggerButton((button) => {
        const kind = kinds[buttons.findIndex(({ tooltip }) => tooltip === button.tooltip)];
        if (kind !== undefined) {
          ways[kind.way] = !ways[kind.way];
          say();
        }
      });
      box.onDidChangeValue((value) => {
        box.validationMessage =
          value.length > maxLength ? t('At most {0} characters.', maxLength) : undefined;
      });
      box.onDidHide(() => reject(new Cancelled()));
      box.onDidAccept(() => {
        if (box.value !== '' && box.value.length <= maxLength) {
          resolve(box.value);
        }
      });
      box.show();
    });
    return { text, ...ways };
  } finally {
    box.dispose();
  }
}

/** What is selected in the editor, if it is a part of one line. */
function selectedText(): string {
  const editor = vscode.window.activeTextEditor;
  const isPart = editor !== undefined && !editor.selection.isEmpty && editor.selection.isSingleLine;
  return isPart ? editor.document.getText(editor.selection) : '';
}
