/** Going on without a volume that is gone: only after a dialog that names it. */
import * as vscode from 'vscode';
import { asBerthError, type BerthError, type Operation, type Workspace } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import { confirm } from '../../input';
import type { RemedyButton } from '../../../ui/remedy-button';
import { Cancelled, type Runner } from '../../../ui/runner';

const { t } = vscode.l10n;

export type EmptyStart = (client: EngineClient, name: string) => Promise<Operation>;

/** Those of several workspaces that did not start for want of a volume, with the errors that name it. */
export class VolumesGone {
  private readonly found: { workspace: Workspace; error: BerthError }[] = [];

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
    for (const { workspace, error } of this.found) {
      try {
        await confirmEmpty(workspace, error);
      } catch (thrown) {
        if (thrown instanceof Cancelled) {
          continue;
        }
        throw thrown;
      }
      const title = t('Starting {0}', workspace.label);
      await this.runner.run(title, async (task) => {
        await task.follow(await this.start(task.client, workspace.name));
      });
    }
  }
}

/** The engine's message names each volume. */
async function confirmEmpty({ label, state }: Workspace, { message }: BerthError): Promise<void> {
  await confirm(
    t('Start {0} without the files of its volume?', label),
    [
      message,
      ...(state === 'paused' ? [t('It is paused: the memory of its programs will be lost.')] : []),
      '',
      t(
        'Berth creates a new, empty volume in its place. If you have a backup of the volume, restore it first.',
      ),
    ].join('\n'),
    t('Start with an Empty Volume'),
  );
}
