/** Which workspaces the view shows: pure, on plain data. */
import type { Workspace, WorkspaceState } from '../../api';
import { goalOf } from '../../api/rules/lifecycle';

export type WorkspaceFilter =
  | { by: 'name'; text: string }
  | { by: 'tag'; tag: string }
  /** What is under way counts as the state that it leads to. */
  | { by: 'state'; state: ReturnType<typeof goalOf> };

/** Whether it is shown; the text is looked for in name, label and tags, in any case. */
export function isShown(workspace: Workspace, filter: WorkspaceFilter | undefined): boolean {
  const { name, label, state, tags = [] } = workspace;
  switch (filter?.by) {
    case undefined:
      return true;
    case 'name': {
      const text = filter.text.toLowerCase();
      return [name, label, ...tags].some((each) => each.toLowerCase().includes(text));
    }
    case 'tag':
      return tags.includes(filter.tag);
    case 'state':
      return goalOf(state) === filter.state;
  }
}

/** How many there are of each, the keys sorted. */
export function counted<K extends string>(keys: readonly K[]): [K, number][] {
  return [...new Set(keys)].sort().map((key) => [key, keys.filter((each) => each === key).length]);
}

/** Of each workspace the state that it is in or leads to. */
export const goalsOf = (workspaces: readonly { state: WorkspaceState }[]) =>
  workspaces.map(({ state }) => goalOf(state));
