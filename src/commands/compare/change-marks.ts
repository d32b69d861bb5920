/** The letters and colours of changes, as the source-control view has them. */
import * as vscode from 'vscode';
import type { Change, ChangeKind } from '../../api';

const scheme = 'berth-change';
const marks: Readonly<Record<ChangeKind, readonly [letter: string, color: string]>> = {
  added: ['A', 'gitDecoration.addedResourceForeground'],
  removed: ['D', 'gitDecoration.deletedResourceForeground'],
  changed: ['M', 'gitDecoration.modifiedResourceForeground'],
  type: ['T', 'gitDecoration.renamedResourceForeground'],
  metadata: ['P', 'gitDecoration.submoduleResourceForeground'],
};

/** Stands for a change, with the name of its file, by which icons are found. */
export function uriOfChange({ path, kind }: Change): vscode.Uri {
  const query = new URLSearchParams({ kind }).toString();
  return vscode.Uri.from({ scheme, path, query });
}

/** Marks what `uriOfChange` stands for. */
export const changeMarks: vscode.FileDecorationProvider = {
  provideFileDecoration({ scheme: of, query }) {
    const asked = new URLSearchParams(query);
    const kind = asked.get('kind');
    if (of !== scheme || !isKind(kind)) {
      return undefined;
    }
    const [letter, color] = marks[kind];
    return new vscode.FileDecoration(letter, undefined, new vscode.ThemeColor(color));
  },
};

function isKind(text: string | null): text is ChangeKind {
  return text !== null && Object.hasOwn(marks, text);
}
