/** Failures of workspaces that something can be done about: a button beside the error. */
import { asBerthError, type BerthError, type Operation, type Workspace } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import type { RemedyButton } from '../../../ui/remedies/remedy-button';

export interface Failed {
  workspace: Workspace;
  error: BerthError;
}

/** Starts one with new, empty volumes in the place of those that are gone. */
export type EmptyStart = (client: EngineClient, name: string) => Promise<Operation>;

/** Those of several workspaces that failed with errors of one kind. */
export class Remediable {
  private readonly found: Failed[] = [];

  constructor(
    private readonly isOne: (error: BerthError) => boolean,
    private readonly title: string,
    private readonly mend: (found: readonly Failed[]) => Promise<void>,
  ) {}

  /** Notes what was thrown for a workspace, and hands it on. Throws it. */
  note(workspace: Workspace, thrown: unknown): never {
    const error = asBerthError(thrown);
    if (this.isOne(error)) {
      this.found.push({ workspace, error });
    }
    throw thrown;
  }

  get remedy(): RemedyButton | undefined {
    return this.found.length === 0 ? undefined : { title: this.title, run: () => this.mend(this.found) };
  }
}
