/** The comparison whose changes are in the view: it fills while the two sides are compared. */
import * as vscode from 'vscode';
import { asBerthError, type CompareEnd, type CompareFailure } from '../../api';
import { formatBytes } from '../../ui/sizes';
import { compare } from '../../client/compare';
import { viewIds } from '../../ui/ids';
import { showInView } from '../../ui/messages';
import { Cancelled } from '../../ui/runner';
import type { Services } from '../command';
import type { ComparedSide, ComparedSides } from '../snapshot/open-changes';
import { ChangeNodes } from './change-nodes';
import type { ChangesTree } from './changes-tree';
import { countWords } from './count-words';

const { t } = vscode.l10n;
/** How often the view is drawn meanwhile, and by which part it must have grown. */
const redrawMs = 400;
const growth = 1.25;

export class Comparison {
  private abort = new AbortController();
  private sides: ComparedSides | undefined;
  private changes = new ChangeNodes();

  constructor(
    private readonly link: Services['link'],
    readonly tree: ChangesTree,
  ) {}

  /** What is in the view. Throws `Cancelled` where there is nothing. */
  get shown(): { sides: ComparedSides; changes: ChangeNodes } {
    if (this.sides === undefined) {
      throw new Cancelled();
    }
    return { sides: this.sides, changes: this.changes };
  }

  /** Compares, in place of what was compared before. Resolves at its end. Throws what is wrong with the two sides. */
  async show(sides: ComparedSides): Promise<void> {
    this.abort.abort();
    const abort = (this.abort = new AbortController());
    const changes = (this.changes = new ChangeNodes());
    const failures: CompareFailure[] = [];
    this.sides = sides;
    await this.tree.show({ sides, changes, failures });
    this.tree.draw(t('Comparing…'));
    await showInView(viewIds.changes, async () => {
      try {
        const end = await this.follow(sides, { changes, failures }, abort.signal);
        this.tree.draw(summary(end));
      } catch (thrown) {
        // Another one has taken its place, or the view was cleared.
        if (abort.signal.aborted) {
          throw new Cancelled();
        }
        const error = asBerthError(thrown);
        this.tree.draw(error.message);
        throw error;
      }
    });
  }

  /** Once more, with what is there now. */
  async again(): Promise<void> {
    await this.show(this.shown.sides);
  }

  /** Ends it, and takes the view away. */
  clear(): void {
    this.abort.abort();
    this.sides = undefined;
    this.changes = new ChangeNodes();
    this.tree.clear();
  }

  private async follow(
    { before, after }: ComparedSides,
    { changes, failures }: { changes: ChangeNodes; failures: CompareFailure[] },
    signal: AbortSignal,
  ): Promise<CompareEnd> {
    let drawn = 0;
    const timer = setInterval(() => {
      if (changes.total > drawn * growth) {
        drawn = changes.total;
        this.tree.draw(t('Comparing… {0} changes so far', drawn));
      }
    }, redrawMs);
    const listener = {
      changes: changes.add.bind(changes),
      failed: (failed: readonly CompareFailure[]) => void failures.push(...failed),
    };
    try {
      return await compare(await this.link.client(), rootOf(before), rootOf(after), listener, signal);
    } finally {
      clearInterval(timer);
    }
  }
}

const rootOf = ({ name }: ComparedSide) => ({ volume: name, path: '/' });

function summary(end: CompareEnd): string {
  const { added, removed, changed, metadata, unread, bytesBefore, bytesAfter } = end;
  if (added + removed + changed + metadata + unread === 0) {
    return t('No differences.');
  }
  return [
    countWords({ added, removed, changed, metadata, type: 0 }),
    unread === 0 ? '' : t('{0} could not be read', unread),
    t('{0} → {1}', formatBytes(bytesBefore), formatBytes(bytesAfter)),
  ]
    .filter((words) => words !== '')
    .join(' · ');
}
