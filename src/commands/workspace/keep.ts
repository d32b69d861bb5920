import * as vscode from 'vscode';
import type { Operation } from '../../api';
import { isUsable } from '../../api/rules/lifecycle';
import { isForkOf } from '../../api/workspaces/fork-of';
import { resultOf } from '../../api/rules/results';
import type { Handler, Services } from '../command';
import { Cancelled } from '../../ui/cancelled';
import { choose } from '../../ui/dialog';
import { whatGoes } from './lifecycle/delete';
import { reportEnd } from './report-end';

const { t } = vscode.l10n;

/**
 * The workspace that a fork was made of gets all files of it; then forks are deleted, after a dialog that names them.
 * Throws `Cancelled` when the dialog is left as it is.
 */
export const keepFork =
  ({
    targets,
    runner,
    store,
    link,
    log,
  }: Pick<Services, 'targets' | 'runner' | 'store' | 'link' | 'log'>): Handler =>
  async (target) => {
    const { name, label, forkedFrom } = await targets.workspace(target, {
      eligible: (each) => each.forkedFrom !== undefined && isUsable('fork', each.state),
      placeHolder: t('Fork to keep'),
      none: t('There is no fork to keep.'),
    });
    const source = forkedFrom?.workspace ?? '';
    const of = store.workspaces.find((each) => each.name === source);
    const forks = of === undefined ? [] : store.workspaces.filter((each) => isForkOf(each, of));
    const client = await link.client();
    const goes = await Promise.all(forks.map((each) => whatGoes(client, store, each)));
    const [nothing, filesOnly, all] = [
      t('Change Nothing'),
      t('Keep, Delete No Fork'),
      t('Keep and Delete Forks'),
    ];
    const answer = await choose({
      message: t('Keep {0}?', label),
      detail: [
        t('All files of {0} become those of {1}. What it has now is kept as a snapshot.', source, label),
        t(
          'Then these forks are deleted, with all they have. The trash keeps the others than this one for a while:',
        ),
        ...goes,
      ].join('\n\n'),
      harmless: nothing,
      others: [filesOnly, all],
    });
    if (answer === nothing) {
      throw new Cancelled();
    }
    const body = { delete: answer === all ? forks.map((each) => each.name) : [] };
    const outcome = await runner.run(t('Keeping {0}', label), async (task) =>
      task.follow(await task.client.call('workspaces.keep', { params: { name }, query: { wait: 0 }, body })),
    );
    if (outcome.kind !== 'done') {
      return;
    }
    void reportEnd(log, ...endWords(outcome.value, source, label));
  };

/** What is done, and how to undo it; then what was not done. */
function endWords(ended: Operation, source: string, label: string): [text: string, problems: string[]] {
  const { notDeleted, imageBefore } = resultOf(ended, 'workspace.keep');
  const text = t(
    '{0} has the files of {1}: “Restore Volume from Snapshot…” brings back what it had.',
    source,
    label,
  );
  const image =
    imageBefore === undefined
      ? []
      : [
          t(
            '“Rebuild Workspace from Image…” with {0} brings back what it had outside of volumes.',
            imageBefore,
          ),
        ];
  const left = notDeleted.map(({ workspace, error }) =>
    t('Not deleted: {0}', t('{0}: {1}', workspace, error.message)),
  );
  return [[text, ...image].join(' '), [...left, ...ended.warnings]];
}
