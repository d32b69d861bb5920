import * as vscode from 'vscode';
import type { CloneAddressProblem } from '../../../api/rules/clone-address';
import { cloneProblem } from './draft';

const { t } = vscode.l10n;

const words: Record<CloneAddressProblem, () => string> = {
  long: () => t('This is too long for the address of a repository.'),
  characters: () => t('An address of a repository has no spaces and no line breaks.'),
  option: () => t('This starts with “-”: git would take it for an option.'),
  helper: () => t('This names a program that git would run (“::”).'),
  secret: () =>
    t(
      'Leave out what is before “@”: it would be kept and shown. Use an SSH address or a git credential file.',
    ),
  name: () =>
    t(
      'Leave out the name before “@”: it may be a token, which would be kept and shown. Use a git credential file.',
    ),
  query: () =>
    t(
      'Leave out “?” and what follows: it would be kept and shown. Use an SSH address or a git credential file.',
    ),
  unknown: () => t('This does not look like a repository address.'),
};

/** Why git can't clone this, in words; undefined when it can. */
export function cloneMessage(text: string): string | undefined {
  const problem = cloneProblem(text);
  return problem === undefined ? undefined : words[problem]();
}
