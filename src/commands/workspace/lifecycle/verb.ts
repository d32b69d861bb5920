/** Commands that change a workspace's state: the row shows the new state at once, then the engine's truth. */
import * as vscode from 'vscode';
import { BerthError, asBerthError, type Operation, type Workspace, type WorkspaceState } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import type { Handler, Services } from '../../command';
import type { Outcome, Task } from '../../../ui/runner';
import { VolumesGone, type EmptyStart } from './empty-volume';

const { t } = vscode.l10n;

type StartRoute = 'workspaces.start' | 'workspaces.restart' | 'workspaces.restore' | 'workspaces.recover';
type VerbRoute = 'workspaces.stop' | 'workspaces.pause' | 'workspaces.resume' | 'workspaces.archive';

export interface Verb {
  /** What the row shows until the engine says more. */
  expected: WorkspaceState;
  from: readonly WorkspaceState[];
  /** E.g. `Starting {0}`. */
  title: (names: string) => string;
  placeHolder: string;
  none: string;
  run: (client: EngineClient, name: string) => Promise<Operation>;
  /** The same where a volume is gone, with a new one in its place. */
  runEmpty?: EmptyStart;
}

export type VerbServices = Pick<Services, 'runner' | 'store' | 'targets'>;

export const route =
  (id: VerbRoute) =>
  (client: EngineClient, name: string): Promise<Operation> =>
    client.call(id, { params: { name }, query: { wait: 0 } });

/** The two ways to start: as it was, and with empty volumes in place of those that are gone. */
export const startRoute = (id: StartRoute): Required<Pick<Verb, 'run' | 'runEmpty'>> => ({
  run: (client, name) => client.call(id, { params: { name }, query: { wait: 0 } }),
  runEmpty: (client, name) => client.call(id, { params: { name }, query: { wait: 0, acceptEmpty: true } }),
});

/** Runs a verb on workspaces at once; the first failure is told, the others still end. */
export async function runVerb(
  { runner, store }: Pick<VerbServices, 'runner' | 'store'>,
  verb: Verb,
  workspaces: readonly Workspace[],
): Promise<Outcome<void>> {
  for (const { name } of workspaces) {
    store.expect(name, verb.expected);
  }
  const [only] = workspaces;
  const names = workspaces.length === 1 && only ? only.label : t('{0} workspaces', workspaces.length);
  try {
    const gone = new VolumesGone(runner, verb.runEmpty ?? verb.run);
    return await runner.run(
      verb.title(names),
      async (task) => {
        const begun = workspaces.map((each) =>
          runOne(task, verb, each.name).catch((error: unknown) => gone.note(each, error)),
        );
        await allOf(begun);
      },
      () => gone.remedy,
    );
  } finally {
    for (const { name } of workspaces) {
      store.settle(name);
    }
  }
}

async function runOne(task: Task, verb: Verb, name: string): Promise<void> {
  await task.follow(await verb.run(task.client, name));
}

/** Waits for all; rejects after every one has ended, with what became of those that failed. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results
    .filter((result) => result.status === 'rejected')
    .map(({ reason }) => reason as unknown);
  if (failed.length < 2) {
    if (failed.length === 1) {
      throw failed[0];
    }
    return;
  }
  const errors = failed.map((reason) => asBerthError(reason));
  const reported = errors.find(({ code }) => code !== 'cancelled') ?? errors[0];
  const messages = [...new Set(errors.map(({ message }) => message))];
  throw new BerthError(
    reported?.code ?? 'internal',
    t('{0} of {1} failed: {2}', failed.length, work.length, messages.join(' ')),
  );
}

/** A command of a verb. */
export function verbCommand(services: VerbServices, verb: Verb): Handler {
  return async (target, selected) => {
    const workspaces = await services.targets.workspaces(target, selected, {
      eligible: ({ state }) => verb.from.includes(state),
      placeHolder: verb.placeHolder,
      none: verb.none,
    });
    await runVerb(services, verb, workspaces);
  };
}
