/** Going on without a volume that is gone: only after a dialog that names it. */
import * as vscode from 'vscode';
import { asBerthError, type BerthError, type Operation, type Workspace } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import type { RemedyButton } from '../../../ui/remedy-button';
import type { Runner } from '../../../ui/runner';

const { t } = vscode.l10n;

export type EmptyStart = (client: EngineClient, name: string) => Promise<Operation>;

/** A workspace that did not start, with the error that names the volume. */
export interface WithoutVolume {
  workspace: Workspace;
  error: BerthError;
}

/** Those of several workspaces that did not start for want of a volume, with the errors that name it. */
export class VolumesGone {
  private readonly found: WithoutVolume[] = [];

  constructor(
    private readonly runner: Runner,
    private readonly start: EmptyStart,
  ) {}

  /** Notes what was thrown for a workspace, and hands it on. */
  note(workspace: Workspace, thrown: unknown): never {
    const error = asBerthError(thrown);
    if (error.code === 'volume_gone') {
      this.found.push({ workspace, error });
    }
    throw thrown;
  }

  get remedy(): RemedyButton | undefined {
    const title = t('Start with an Empty Volume…');
    return this.found.length === 0 ? undefined : { title, run: () => this.goOn() };
  }

  private async goOn(): Promise<void> {
    const { startEmpty } = await import(/* webpackChunkName: "rare" */ '../rare.js');
    await startEmpty(this.runner, this.found, this.start);
  }
}
