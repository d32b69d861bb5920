/** What the engine's checks are called in the language of the window. */
import * as vscode from 'vscode';
import type { Check } from '../../../api';
import type { CheckName } from '../../../api/engine/check-titles';

const { t } = vscode.l10n;

/** All of them; asked for when they are shown, as the language is known then. */
function titles(): Readonly<Record<CheckName, string>> {
  return {
    'runtime.container': t('Containers'),
    'runtime.microvm': t('MicroVMs'),
    image: t('Default image'),
    ssh: t('OpenSSH client'),
    'ssh.config': t('SSH config'),
    space: t('Disk space'),
    ports: t('SSH ports'),
    records: t('Records'),
    'protected-volumes': t('Protected volumes'),
    orphans: t('Leftovers'),
  };
}

/** As the engine says it for what only another version knows. */
export function titleOfCheck({ name, title }: Pick<Check, 'name' | 'title'>): string {
  const known: Readonly<Partial<Record<string, string>>> = titles();
  return Object.hasOwn(known, name) ? (known[name] ?? title) : title;
}
