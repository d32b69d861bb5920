/** Context keys, set only when their value changes. */
import * as vscode from 'vscode';
import type { ContextKey } from '../ui/ids';
import type { EngineLink } from '../ui/engine-link';
import { DisposableList } from '../ui/signal';
import type { Store } from '../ui/store';
import { shownVolumes } from './trees/arrange';

export class ContextKeys implements vscode.Disposable {
  private readonly values = new Map<ContextKey, string | boolean>();
  private readonly owned = new DisposableList();

  constructor(
    private readonly link: EngineLink,
    private readonly store: Store,
  ) {
    this.owned.add(link.onDidChange(() => this.update()));
    this.owned.add(store.onDidChange(() => this.update()));
    this.owned.add(vscode.workspace.onDidChangeConfiguration(() => this.update()));
    this.update();
  }

  set(key: ContextKey, value: string | boolean): void {
    if (this.values.get(key) !== value) {
      this.values.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  }

  dispose(): void {
    this.owned.dispose();
  }

  private update(): void {
    this.set('berth.engineState', this.link.state.kind);
    const usable = this.store.drivers.filter(({ available }) => available).map(({ runtime }) => runtime);
    this.set('berth.containersAvailable', usable.includes('container'));
    this.set('berth.microvmsAvailable', usable.includes('microvm'));
    this.set('berth.hasWorkspaces', this.store.workspaces.length > 0);
    this.set('berth.hasVolumes', shownVolumes(this.store.volumes).length > 0);
  }
}
