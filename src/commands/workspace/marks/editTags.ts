import * as vscode from 'vscode';
import { isTag, maxTags, sortedTags } from '../../../api/rules/names';
import type { Handler, Services } from '../../command';
import { ask } from '../../input';
import { mark } from './mark';

const { t } = vscode.l10n;

/** Asks for the tags of a workspace, in one line. */
export const editTags =
  (services: Pick<Services, 'targets' | 'runner' | 'store'>): Handler =>
  async (target) => {
    const workspace = await services.targets.workspace(target, {
      eligible: () => true,
      placeHolder: t('Workspace to tag'),
      none: t('There is no workspace.'),
    });
    const { tags: before = [] } = workspace;
    const others = sortedTags(services.store.workspaces.flatMap(({ tags = [] }) => tags));
    const text = await ask({
      title: t('Tags of {0}', workspace.label),
      prompt:
        others.length === 0
          ? t('Tags, separated by spaces; empty: none')
          : t('Tags, separated by spaces; empty: none. In use: {0}', others.join(' ')),
      value: before.join(' '),
      placeHolder: t('e.g. work api'),
      validate: tagsProblem,
    });
    const tags = tagsIn(text);
    if (tags.join(' ') !== before.join(' ')) {
      await mark(services, [workspace], { tags });
    }
  };

const tagsIn = (text: string): string[] => sortedTags(text.split(/[\s,]+/).filter((word) => word !== ''));

/** Why these are no tags; undefined when they are. */
export function tagsProblem(text: string): string | undefined {
  const tags = tagsIn(text);
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) {
    return t('“{0}” is no tag: use lowercase letters, digits, dots, hyphens and underscores.', wrong);
  }
  return tags.length > maxTags ? t('At most {0} tags.', maxTags) : undefined;
}
