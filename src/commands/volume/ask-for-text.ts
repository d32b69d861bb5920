/** The text to find, how it is looked for, and in which files. */
import * as vscode from 'vscode';
import { Cancelled } from '../../ui/runner';

const { t } = vscode.l10n;
const maxLength = 1_000;

export interface Globs {
  include: string;
  exclude: string;
}

export interface Wanted extends Globs {
  text: string;
  caseSensitive: boolean;
  word: boolean;
  regex: boolean;
}

type Ways = Pick<Wanted, 'caseSensitive' | 'word' | 'regex'>;

const kinds = [
  { way: 'caseSensitive', icon: 'case-sensitive', name: t('Match Case') },
  { way: 'word', icon: 'whole-word', name: t('Match Whole Word') },
  { way: 'regex', icon: 'regex', name: t('Use Regular Expression') },
] as const;

/** The names of those that are chosen. */
export function waysOf(ways: Ways): string[] {
  return kinds.filter(({ way }) => ways[way]).map(({ name }) => name);
}

/**
 * With a button for each way to look, and one that leads to the globs: those of before are offered there, and the usual
 * ones are taken without it. Throws `Cancelled`.
 */
export async function askForText(title: string, usual: Globs, before: Globs): Promise<Wanted> {
  const box = vscode.window.createInputBox();
  const ways = { caseSensitive: false, word: false, regex: false };
  let asksForGlobs = false as boolean;
  const toGlobs = {
    iconPath: new vscode.ThemeIcon('filter'),
    tooltip: t('Choose Files to Include and Exclude'),
  };
  const buttons = kinds.map(({ icon, name }) => ({ iconPath: new vscode.ThemeIcon(icon), tooltip: name }));
  const say = (): void => {
    const chosen = [...waysOf(ways), ...(asksForGlobs ? [t('then the files to search')] : [])];
    box.prompt = chosen.length === 0 ? t('Text to find, in any case') : chosen.join(', ');
  };
  Object.assign(box, { title, buttons: [...buttons, toGlobs], value: selectedText() });
  box.onDidTriggerButton((button) => {
    const kind = kinds.find(({ name }) => name === button.tooltip);
    if (kind === undefined) {
      asksForGlobs = !asksForGlobs;
    } else {
      ways[kind.way] = !ways[kind.way];
    }
    say();
  });
  say();
  const text = await accepted(box, 1);
  return { text, ...ways, ...(asksForGlobs ? await askForGlobs(title, before) : usual) };
}

async function askForGlobs(title: string, { include, exclude }: Globs): Promise<Globs> {
  const ask = (value: string, prompt: string): Promise<string> => {
    const box = vscode.window.createInputBox();
    Object.assign(box, { title, value, prompt, placeholder: t('For example: *.ts, src/**') });
    return accepted(box, 0);
  };
  return {
    include: await ask(include, t('Files to include; empty: all')),
    exclude: await ask(exclude, t('Files and folders to exclude; empty: none')),
  };
}

/** What is in the box when it is accepted; it must not be too long. Throws `Cancelled`. */
async function accepted(box: vscode.InputBox, minLength: number): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      box.onDidChangeValue((value) => {
        box.validationMessage =
          value.length > maxLength ? t('At most {0} characters.', maxLength) : undefined;
      });
      box.onDidHide(() => reject(new Cancelled()));
      box.onDidAccept(() => {
        if (box.value.length >= minLength && box.value.length <= maxLength) {
          resolve(box.value);
        }
      });
      box.show();
    });
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
