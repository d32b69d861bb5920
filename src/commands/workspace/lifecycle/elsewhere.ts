/** Workspaces of another container engine than the one in use: what a verb says of them, and the way to forget them. */
import * as vscode from 'vscode';
import { asBerthError, type Workspace } from '../../../api';
import type { RemedyButton } from '../../../ui/remedy-button';
import type { Runner } from '../../../ui/runner';

const { t } = vscode.l10n;

/** Those of several workspaces that are on another machine than the container engine in use. */
export class WorkspacesElsewhere {
  private readonly found: Workspace[] = [];

  constructor(private readonly runner: Runner) {}

  /** Notes what was thrown for a workspace, and hands it on. */
  note(workspace: Workspace, thrown: unknown): never {
    if (asBerthError(thrown).remedy === 'forget') {
      this.found.push(workspace);
    }
    throw thrown;
  }

  get remedy(): RemedyButton | undefined {
    return this.found.length === 0 ? undefined : { title: t('Forget Workspace…'), run: () => this.forget() };
  }

  private async forget(): Promise<void> {
    const { forgetWorkspaces } = await import(/* webpackChunkName: "rare" */ '../rare.js');
    await forgetWorkspaces(this.runner, this.found);
  }
}
