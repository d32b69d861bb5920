import { isRow } from '../../providers/trees/rows';
import type { Handler, Services } from '../command';

/** Shows and focuses the row of a workspace, by its name or the row of a volume's user. */
export const showWorkspace =
  ({ views }: Pick<Services, 'views'>): Handler =>
  async (target) => {
    const name = isRow(target) && target.type === 'user' ? target.name : target;
    if (typeof name === 'string') {
      await views.revealWorkspace(name, { focus: true });
    }
  };
