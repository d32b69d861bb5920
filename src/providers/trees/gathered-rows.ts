import type * as vscode from 'vscode';

const gatherMs = 50;

/** Rows whose children changed, reported together after a moment. */
export class GatheredRows<T> implements vscode.Disposable {
  private readonly rows = new Set<T>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly notify: (rows: T[]) => void) {}

  add(row: T): void {
    this.rows.add(row);
    this.timer ??= setTimeout(() => {
      const rows = [...this.rows];
      this.rows.clear();
      this.timer = undefined;
      this.notify(rows);
    }, gatherMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
