/** Commands that change a workspace's state: the row shows the new state at once, then the engine's truth. */
import * as vscode from 'vscode';
import { BerthError, asBerthError, type Operation, type Workspace } from '../../../api';
import { offeredIn, takesEmptyVolumes, transitions, worksIn } from '../../../api/rules/lifecycle';
import type { EngineClient } from '../../../client/engine-client';
import type { Handler, Services } from '../../command';
import type { Outcome, Task } from '../../../ui/runner';
import type { WorkspaceChoice } from '../../targets';
import { workspacesElsewhere } from './elsewhere';
import { volumesGone } from './empty-volume';
import type { EmptyStart } from './remediable';
import { verbWords, type RowVerb } from './verb-words';

const { t } = vscode.l10n;

export type VerbServices = Pick<Services, 'runner' | 'store' | 'targets'>;

const call = (client: EngineClient, verb: RowVerb, name: string): Promise<Operation> =>
  client.call(`workspaces.${verb}`, { params: { name }, query: { wait: 0 } });

/** The same where a volume is gone, with a new, empty one in its place. A memory fits only the volumes that it had. */
function emptyStart(verb: RowVerb): EmptyStart {
  const starting = takesEmptyVolumes(verb) ? verb : 'restart';
  return (client, name) =>
    client.call(`workspaces.${starting}`, { params: { name }, query: { wait: 0, acceptEmpty: true } });
}

/** Runs a verb on workspaces at once; the first failure is reported, the others still end. Answers those that succeeded. */
export async function runVerb(
  { runner, store }: Pick<VerbServices, 'runner' | 'store'>,
  verb: RowVerb,
  workspaces: readonly Workspace[],
): Promise<Outcome<Operation[]>> {
  for (const { name } of workspaces) {
    store.expect(name, transitions[verb].via);
  }
  const [only] = workspaces;
  const names = workspaces.length === 1 && only ? only.label : t('{0} workspaces', workspaces.length);
  try {
    const gone = volumesGone(runner, emptyStart(verb));
    const elsewhere = workspacesElsewhere(runner);
    return await runner.run(
      verbWords[verb].title(names),
      async (task) => {
        const ended: Operation[] = [];
        const begun = workspaces.map((each) =>
          runOne(task, verb, each.name)
            .then((operation) => void ended.push(operation))
            .catch((error: unknown) => gone.note(each, error))
            .catch((error: unknown) => elsewhere.note(each, error)),
        );
        await allOf(begun);
        return ended;
      },
      () => gone.remedy ?? elsewhere.remedy,
    );
  } finally {
    for (const { name } of workspaces) {
      store.settle(name);
    }
  }
}

async function runOne(task: Task, verb: RowVerb, name: string): Promise<Operation> {
  return task.follow(await call(task.client, verb, name));
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

/** Which workspaces it can work on, and which of them are offered when none is chosen yet. */
export function verbChoice(verb: RowVerb): WorkspaceChoice {
  const { placeHolder, none } = verbWords[verb];
  return {
    eligible: ({ state }) => worksIn(verb, state),
    offered: ({ state }) => offeredIn(verb).includes(state),
    placeHolder,
    none,
  };
}

/** A command of a verb. */
export function verbCommand(services: VerbServices, verb: RowVerb): Handler {
  return async (target, selected) => {
    await runVerb(services, verb, await services.targets.workspaces(target, selected, verbChoice(verb)));
  };
}
