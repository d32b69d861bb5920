import type { TransferResult } from '../../../api/operations/schemas';
import { Losses } from '../../tar/losses';
import { quote } from '../../../api/rules/volume-path';
import type { Loss, MergeResult } from '../../files/volume-files';

export type { TransferResult };

const alreadyThere = 'it is there already';

/** Gathers the result, and knows which of the things asked for arrived as a whole. */
export class Outcome {
  readonly result: TransferResult = { files: 0, bytes: 0, skipped: [], renamed: [], failed: [] };
  private readonly incomplete = new Set<string>();
  private readonly failed = new Set<string>();
  private readonly losses = new Losses();

  /** `name` is the path from the target folder, beginning with an item's name. */
  skip(name: string, path: string, reason: string): void {
    this.note(name);
    this.result.skipped.push({ path, reason });
  }

  /** What is below something that failed is not named again. */
  fail(name: string, path: string, reason: string): void {
    this.note(name);
    if (this.isNamed(path)) {
      return;
    }
    this.failed.add(path);
    this.result.failed.push({ path, reason });
  }

  /** The file at `path` arrived without these. */
  lose(attributes: readonly string[], path: string): void {
    this.losses.attributes(attributes, path);
  }

  lost({ what, count, first }: Loss, at: (path: string) => string = (path) => path): void {
    this.losses.add(what, at(first), count);
  }

  /** What files could not keep, each kind once. */
  reportLosses(warn: (text: string) => void): void {
    for (const [what, count, first] of this.losses.rows()) {
      const files = count === 1 ? `${quote(first)} was copied` : `${count} files were copied`;
      const example = count === 1 ? '' : ` (the first is ${quote(first)})`;
      warn(`${files} without: ${what}${example}.`);
    }
  }

  /** `at` makes a full path of one from the target folder, which starts with `/`. */
  add(merge: MergeResult, at: (path: string) => string): void {
    for (const path of merge.skipped) {
      this.skip(path.slice(1), at(path), alreadyThere);
    }
    for (const { path, reason } of merge.failed) {
      this.fail(path.slice(1), at(path), reason);
    }
    for (const { from, to } of merge.renamed) {
      this.result.renamed.push({ from: at(from), to: at(to) });
    }
    merge.lost?.forEach((loss) => this.lost(loss, at));
    this.result.files += merge.files;
  }

  /** False when something of the item stayed behind: then a move does not remove it. */
  isComplete(item: string): boolean {
    return !this.incomplete.has(item);
  }

  /** Something is not as it was expected: a move keeps the originals of these. */
  doubt(items: readonly string[]): void {
    items.forEach((item) => this.note(item));
  }

  private isNamed(path: string): boolean {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (this.failed.has(path.slice(0, end))) {
        return true;
      }
    }
    return false;
  }

  private note(name: string): void {
    this.incomplete.add(name.split('/')[0] ?? name);
  }
}
