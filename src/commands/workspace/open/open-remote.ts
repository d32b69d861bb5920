/** Opening a workspace over SSH, through whichever Remote-SSH extension is there. */
import * as vscode from 'vscode';
import type { SshTarget, Workspace } from '../../../api';
import { choose } from '../../../ui/dialog';
import { ownValue } from '../../../ui/own-setting';
import { noteOpened } from '../../../ui/recents';
import { changeSetting, setting } from '../../../ui/settings';
import type { Services } from '../../command';
import type { Memory } from '../../../ui/sent-settings';
import type { CommandId } from '../../../ui/contributions/commands';
import { Cancelled } from '../../../ui/runner';
import { ensureInclude } from '../../ssh/include';
import { remoteSide, sideApartFromRemoteSsh, type Placed } from '../../this-side';
import { installableRemoteExtension, installedRemoteExtension } from './remote-extensions';
import { isMadeRunning } from '../lifecycle/make-running';
import { showInformationMessage, showWarningMessage } from '../../../ui/messages';

const { t } = vscode.l10n;

export interface OpenServices extends Pick<Services, 'runner' | 'store'> {
  context: Placed['context'] & { globalState: Memory };
}

/**
 * Asks what has to be asked, starts the workspace when it does not run (an explicit wish), then opens its folder. Where
 * Berth runs on the remote side of a window it offers what works there: no Remote-SSH extension reads the config of that side.
 */
export async function openRemote(
  services: OpenServices,
  workspace: Workspace,
  forceNewWindow: boolean,
): Promise<void> {
  const { name, label } = workspace;
  if (sideApartFromRemoteSsh(services) !== undefined || installedRemoteExtension() === undefined) {
    return offerAlternatives(workspace, remoteSide(services));
  }
  const title = t('Opening {0}', label);
  const prepared = await services.runner.run(title, async ({ client }) => {
    if (!(await ensureInclude(services, client)).included) {
      await refuseWithoutInclude(workspace);
    }
    await rememberPlatform(await client.call('workspaces.ssh', { params: { name } }));
  });
  if (prepared.kind !== 'done' || !(await isMadeRunning(services, workspace))) {
    return;
  }
  await services.runner.run(title, async ({ client }) => {
    // Asked for again: a repository may have been cloned at this start.
    const { alias, folder } = await client.call('workspaces.ssh', { params: { name } });
    const authority = `ssh-remote+${alias}`;
    const uri = vscode.Uri.from({ scheme: 'vscode-remote', authority, path: folder });
    // Before: this window may be gone after.
    await noteOpened(services.context.globalState, name);
    await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow });
  });
}

/** The user said never to touch the SSH config: Remote-SSH would ask for a host that it does not know. */
async function refuseWithoutInclude({ name }: Workspace): Promise<never> {
  const settings = t('Open Setting');
  const terminal = t('Open Terminal');
  const chosen = await showWarningMessage(
    t('Remote-SSH does not find {0}: the setting “berth.ssh.includeConfig” is “never”.', name),
    settings,
    terminal,
  );
  if (chosen === settings) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'berth.ssh.includeConfig');
  } else if (chosen === terminal) {
    const command: CommandId = 'berth.workspace.openTerminal';
    await vscode.commands.executeCommand(command, name);
  }
  throw new Cancelled();
}

/** Notes `linux` for the host, so that Remote-SSH does not ask; only with consent, and only when it is missing. */
async function rememberPlatform({ alias }: SshTarget): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('remote.SSH');
  const inspected = configuration.inspect<Record<string, string>>('remotePlatform');
  const own = ownValue(inspected);
  const known = new Map(Object.entries(typeof own === 'object' && own !== null ? own : {}));
  const choice = setting('ssh.setRemotePlatform', 'ask');
  if (inspected === undefined || choice === 'never' || known.has(alias)) {
    return;
  }
  if (choice === 'ask' && !(await consentsToPlatform())) {
    return;
  }
  const value = Object.fromEntries(known.set(alias, 'linux'));
  await configuration.update('remotePlatform', value, vscode.ConfigurationTarget.Global);
}

async function consentsToPlatform(): Promise<boolean> {
  const always = t('Always');
  const never = t('Never');
  const answer = await choose({
    message: t('Note in the settings of Remote-SSH that Berth workspaces run Linux?'),
    detail: t('Otherwise Remote-SSH asks for the platform each time a new workspace is opened.'),
    kind: 'question',
    harmless: always,
    others: [never],
  }).catch((thrown: unknown) => {
    if (thrown instanceof Cancelled) return undefined;
    throw thrown;
  });
  if (answer === undefined) {
    return false;
  }
  await changeSetting('ssh.setRemotePlatform', answer === always ? 'always' : 'never');
  return answer === always;
}

async function offerAlternatives(
  { name, label, homeVolume }: Workspace,
  side: string | undefined,
): Promise<void> {
  const install = t('Install Remote-SSH');
  const terminal = t('Open Terminal');
  const files = t('Open Volume as Folder');
  const chosen = await showInformationMessage(
    side === undefined
      ? t('Opening {0} in a window needs a Remote-SSH extension, and none is installed.', label)
      : t(
          'Berth runs on the remote side of this window ({0}): Remote-SSH of your own machine can’t open {1} from there. Its terminal and its files work here.',
          side,
          label,
        ),
    ...(side === undefined ? [install] : []),
    terminal,
    files,
  );
  if (chosen === install) {
    const id = installableRemoteExtension(vscode.env.appName);
    await vscode.commands.executeCommand('workbench.extensions.search', `@id:${id}`);
  } else if (chosen !== undefined) {
    const next: CommandId =
      chosen === terminal ? 'berth.workspace.openTerminal' : 'berth.volume.openAsFolder';
    await vscode.commands.executeCommand(next, chosen === terminal ? name : homeVolume);
  }
}
