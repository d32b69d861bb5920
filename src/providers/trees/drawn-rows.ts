/**
 * What VS Code was given of rows: it drops a refresh of a row that it is still drawing, which would then show an old state until
 * the next change. Some time after a change what was given is compared once more with what is so.
 */
import * as vscode from 'vscode';

const settleMs = 600;
/** A view that is not visible draws nothing: it asks again when it is seen. */
const maxTries = 5;

export class DrawnRows<T> implements vscode.Disposable {
  private readonly looks = new Map<T, string>();
  /** How often rows were looked at since their last change. */
  private readonly tries = new Map<T, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly itemOf: (row: T) => vscode.TreeItem,
    private readonly redraw: (rows: T[]) => void,
    private readonly waitMs = settleMs,
  ) {}

  drawn(row: T, item: vscode.TreeItem): void {
    this.looks.set(row, lookOf(item));
  }

  changed(rows: Iterable<T>): void {
    for (const row of rows) {
      this.tries.set(row, 0);
    }
    this.schedule();
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.tries.size > 0) {
      this.timer ??= setTimeout(() => this.compare(), this.waitMs);
    }
  }

  private compare(): void {
    this.timer = undefined;
    const old = [...this.tries.keys()].filter((row) => {
      const look = this.looks.get(row);
      return look !== undefined && look !== lookOf(this.itemOf(row));
    });
    const again = old.map((row) => [row, (this.tries.get(row) ?? 0) + 1] as const);
    this.tries.clear();
    again.filter(([, count]) => count < maxTries).forEach(([row, count]) => this.tries.set(row, count));
    if (old.length > 0) {
      this.redraw(old);
    }
    this.schedule();
  }
}

function lookOf({ label, description, contextValue, iconPath }: vscode.TreeItem): string {
  const icon = iconPath instanceof vscode.ThemeIcon ? iconPath.id : '';
  return JSON.stringify([label, description, contextValue, icon]);
}
