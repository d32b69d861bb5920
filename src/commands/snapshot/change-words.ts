/** What a change is, in words. */
import * as vscode from 'vscode';
import type { Change } from '../../api';
import { printable } from '../../ui/plain-label';

const { t } = vscode.l10n;

/** E.g. `changed`; of what has the same content, what else is not the same. */
export function changeWords({ kind, what = [] }: Change): string {
  const words = {
    added: t('added'),
    removed: t('removed'),
    changed: t('changed'),
    type: t('another kind of file'),
    metadata: t('another mode, owner or attributes'),
  };
  return kind === 'metadata' && what.length > 0 ? `${words[kind]} (${partWords(what)})` : words[kind];
}

/** Of what no editor shows: its kind, target, mode and owner, before and after. */
export function bothWords({ path, before, after, what = [] }: Change): string {
  const text = t('{0}: {1} → {2}', printable(path), fileWords(before), fileWords(after));
  return what.length === 0 ? text : `${text} (${partWords(what)})`;
}

function partWords(what: NonNullable<Change['what']>): string {
  const words = {
    content: t('content'),
    target: t('target'),
    device: t('device number'),
    mode: t('mode'),
    owner: t('owner'),
    attributes: t('attributes'),
  };
  return what.map((part) => words[part]).join(', ');
}

function fileWords(file: Change['before']): string {
  if (file === undefined) {
    return t('nothing');
  }
  if (file.type === 'symlink') {
    return file.target === undefined ? t('link') : t('link to {0}', printable(file.target));
  }
  const kinds = { file: t('file'), directory: t('folder'), other: t('device, socket or pipe') };
  const mode = file.mode.toString(8).padStart(4, '0');
  return t('{0} with mode {1} of {2}:{3}', kinds[file.type], mode, file.uid, file.gid);
}
