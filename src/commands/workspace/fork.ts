import * as vscode from 'vscode';
import { isUsable } from '../../api/rules/lifecycle';
import { resultOf } from '../../api/rules/results';
import type { Handler, Services } from '../command';
import { ask } from '../input';
import { freeName } from './create/draft';
import { nameMessage } from './create/name-words';
import { reportEnd } from './report-end';

const { t } = vscode.l10n;
const maxForks = 32;

/** Makes new workspaces that begin with all that one has. */
export const forkWorkspace =
  ({ targets, runner, store, log }: Pick<Services, 'targets' | 'runner' | 'store' | 'log'>): Handler =>
  async (target) => {
    const { name, label } = await targets.workspace(target, {
      eligible: ({ state }) => isUsable('fork', state),
      placeHolder: t('Workspace to fork'),
      none: t('No workspace can be forked.'),
    });
    const answer = await ask({
      title: t('Fork {0}', label),
      prompt: t('A name, or several separated by spaces: each fork begins with all that {0} has now.', label),
      value: freeName(name, (each) => nameMessage(store, each) === undefined, '-fork'),
      validate: (text) => problemOf(wordsOf(text), (each) => nameMessage(store, each)),
    });
    const names = wordsOf(answer);
    const outcome = await runner.run(t('Forking {0}', label), async (task) =>
      task.follow(
        await task.client.call('workspaces.fork', { params: { name }, query: { wait: 0 }, body: { names } }),
      ),
    );
    if (outcome.kind !== 'done') {
      return;
    }
    const { forks } = resultOf(outcome.value, 'workspace.fork');
    const failed = forks.flatMap((each) =>
      each.ok ? [] : [t('{0}: {1}', each.workspace, each.error.message)],
    );
    const made = forks.filter(({ ok }) => ok).map(({ workspace }) => workspace);
    const text =
      failed.length > 0
        ? t('Made {0} of {1} forks.', made.length, forks.length)
        : t('Forked {0}: {1}', label, made.join(', '));
    void reportEnd(log, text, [...failed, ...outcome.value.warnings]);
  };

const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

function problemOf(
  names: readonly string[],
  nameProblem: (name: string) => string | undefined,
): string | undefined {
  if (names.length === 0) {
    return nameProblem('');
  }
  if (names.length > maxForks) {
    return t('At most {0} at once.', maxForks);
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined
    ? names.map(nameProblem).find((problem) => problem !== undefined)
    : t('“{0}” is there twice.', twice);
}
