import * as vscode from 'vscode';
import { transitions, worksIn } from '../../../api/rules/lifecycle';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import { asBerthError, type Operation, type Workspace } from '../../../api';
import type { CallInput, EngineClient } from '../../../client/engine-client';
import type { Handler, Services } from '../../command';
import type { CommandId } from '../../../ui/contributions/commands';
import { choose } from '../../../ui/dialog';
import { Cancelled } from '../../../ui/runner';
import { volumesGone } from './empty-volume';
import { pickOne } from '../../../ui/pick';

const { t } = vscode.l10n;

/** A new runtime on the same volumes, from the image as it is now or from another one. */
export const rebuildWorkspace =
  ({ targets, runner, store, link }: Pick<Services, 'targets' | 'runner' | 'store' | 'link'>): Handler =>
  async (target) => {
    const workspace = await targets.workspace(target, {
      eligible: ({ state }) => worksIn('rebuild', state),
      placeHolder: t('Workspace to rebuild'),
      none: t('No workspace can be rebuilt.'),
    });
    const client = await link.client();
    const image = await pickImage(client, workspace);
    const begun = await begin(client, workspace, image);
    if (begun === 'commit first') {
      await commitFirst({ runner, store }, workspace);
      return;
    }
    const gone = volumesGone(runner, (each) =>
      each.call('workspaces.rebuild', rebuildCall(workspace, image, { confirm: true, acceptEmpty: true })),
    );
    store.expect(workspace.name, transitions.rebuild.via);
    await runner.run(
      t('Rebuilding {0}', workspace.label),
      (task) => task.follow(begun).catch((error: unknown) => gone.note(workspace, error)),
      () => gone.remedy,
    );
    store.settle(workspace.name);
  };

interface RebuildConsent {
  confirm: boolean;
  acceptEmpty?: boolean;
}

function rebuildCall(
  { name, spec }: Workspace,
  image: string,
  consent: RebuildConsent,
): CallInput<'workspaces.rebuild'> {
  const changed = image === spec.image ? {} : { image };
  return { params: { name }, query: { wait: 0 }, body: { ...changed, ...consent } };
}

/** Asks first when something goes: the engine says what that is. Throws `Cancelled`. */
async function begin(
  client: EngineClient,
  workspace: Workspace,
  image: string,
): Promise<Operation | 'commit first'> {
  const call = (confirm: boolean): Promise<Operation> =>
    client.call('workspaces.rebuild', rebuildCall(workspace, image, { confirm }));
  try {
    return await call(false);
  } catch (error) {
    const { code, message } = asBerthError(error);
    if (code !== 'needs_confirmation') {
      throw error;
    }
    return (await askFirst(workspace, image, message)) === 'rebuild' ? call(true) : 'commit first';
  }
}

/** `loss`: what goes, in the words of the engine. */
async function askFirst(workspace: Workspace, image: string, loss: string): Promise<'rebuild' | 'commit'> {
  const { label } = workspace;
  const kept = ownVolumesOf(workspace).join(', ');
  const detail = `${loss} ${t('Kept: volume {0}. Running processes end.', kept)}`;
  const [keep, rebuild, commit] = [t('Keep'), t('Rebuild'), t('Commit to Image First…')];
  const message = t('Rebuild {0} from {1}?', label, image);
  // To commit what runs stops it.
  const answer = await choose({ message, detail, harmless: keep, others: [commit, rebuild] });
  if (answer === keep) {
    throw new Cancelled();
  }
  return answer === rebuild ? 'rebuild' : 'commit';
}

/** Only what is stopped can be committed. */
async function commitFirst(
  services: Pick<Services, 'runner' | 'store'>,
  { name, label, state }: Workspace,
): Promise<void> {
  const { runner, store } = services;
  const outcome = await runner.run(t('Stopping {0}', label), async (task) => {
    const { client } = task;
    const params = { name };
    if (state !== 'stopped') {
      await task.follow(await client.call('workspaces.stop', { params, query: { wait: 0 } }));
    }
    const take = store.awaitWorkspace(name);
    take(await client.call('workspaces.get', { params }));
  });
  if (outcome.kind === 'done') {
    const commit: CommandId = 'berth.workspace.commit';
    await vscode.commands.executeCommand(commit, name);
  }
}

async function pickImage(client: EngineClient, workspace: Workspace): Promise<string> {
  const current = workspace.spec.image;
  const images = await client.call('images.list', {});
  const others = images.flatMap(({ tags }) => tags).filter((tag) => tag !== current);
  const items = [
    { label: current, description: t('the image as it is now') },
    ...others.map((label) => ({ label, description: '' })),
  ];
  const chosen = await pickOne(items, {
    placeHolder: t('Image to rebuild {0} from', workspace.label),
  });
  if (chosen === undefined) {
    throw new Cancelled();
  }
  return chosen.label;
}
