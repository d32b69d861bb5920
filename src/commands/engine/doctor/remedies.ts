/** What the buttons of the doctor's page do, by the ids that checks carry. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { CheckRemedy } from '../../../api';
import type { CommandId } from '../../../ui/contributions/commands';
import type { SettingId } from '../../../ui/ids';
import type { Services } from '../../command';
import type { Placed } from '../../this-side';
import { installableRemoteExtension } from '../../workspace/open/remote-extensions';
import { userConfig } from '../../ssh/include';
import { showInformationMessage } from '../../../ui/messages';
import { startLine } from './start-line';

const { t } = vscode.l10n;

/** Those of the engine's checks, and of what only a window knows. */
export type PageRemedy =
  CheckRemedy | 'install-remote-ssh' | 'correct-remote-ssh' | 'show-storage' | 'show-log' | 'restart-engine';

export interface PageAction {
  title: string;
  run: () => Thenable<unknown>;
  /** When it has ended, things are better, or not: the checks run again. */
  mends?: true;
}

export type RemedyServices = Pick<Services, 'runner'> & Placed;

const command = (id: CommandId) => () => vscode.commands.executeCommand(id);
const openSetting = (id: string) => () =>
  vscode.commands.executeCommand('workbench.action.openSettings', `@id:${id}`);
const ownSetting = (id: SettingId) => openSetting(`berth.${id}`);
const browse = (address: string) => () => vscode.env.openExternal(vscode.Uri.parse(address, true));

/** A line for a shell of this machine, by its platform. */
type Lines = Partial<Record<NodeJS.Platform, string>>;

/** Only where the package manager is there that has these names; else the page that says how. */
const hasApt = (): boolean => existsSync('/usr/bin/apt');

function linesOf(packages: { apt: string; brew?: string }): Lines {
  return {
    ...(hasApt() && { linux: `sudo apt install ${packages.apt}` }),
    ...(packages.brew !== undefined && { darwin: `brew install ${packages.brew}` }),
  };
}

/** Every one has a title and does something. */
export function pageActions(services: RemedyServices): Readonly<Record<PageRemedy, PageAction>> {
  const type = (lines: Lines, otherwise: () => Thenable<unknown>) => () => {
    const line = lines[process.platform];
    return line === undefined ? otherwise() : typed(services, line);
  };
  const join = (group: string) => type({ linux: `sudo usermod -aG ${group} "$USER"` }, howToDocker);
  return {
    ...settingActions(),
    'start-container-engine': { title: t('Start Docker…'), run: () => startDocker(services) },
    'install-container-engine': { title: t('Install Docker'), run: howToDocker },
    'join-docker-group': { title: t('Join the Group “docker”…'), run: join('docker') },
    'install-qemu': {
      title: t('Install QEMU…'),
      run: type(linesOf({ apt: qemuPackages(), brew: 'qemu' }), browse('https://www.qemu.org/download/')),
    },
    'join-kvm-group': { title: t('Join the Group “kvm”…'), run: join('kvm') },
    'prepare-guest-kit': {
      title: t('Prepare the Kernel Now'),
      run: () => prepareKit(services),
      mends: true,
    },
    'install-ssh-client': {
      title: t('Install OpenSSH…'),
      run: type(linesOf({ apt: 'openssh-client' }), browse('https://www.openssh.com/portable.html')),
    },
    'open-ssh-config': { title: t('Open the SSH Config'), run: () => openSshConfig(services) },
    'build-image': { title: t('Build Image'), run: command('berth.image.build'), mends: true },
    'include-ssh-config': { title: t('Add the Line…'), run: command('berth.ssh.include'), mends: true },
    adopt: { title: t('Use an Existing Volume…'), run: command('berth.workspace.adopt'), mends: true },
    'show-storage': { title: t('Show Storage'), run: command('berth.storage.show') },
    'show-log': { title: t('Show Berth Log'), run: command('berth.engine.showLog') },
    'restart-engine': { title: t('Restart Engine'), run: command('berth.engine.restart'), mends: true },
  };
}

function settingActions() {
  return {
    'choose-container-engine': { title: t('Change the Address…'), run: ownSetting('dockerHost') },
    'choose-image': { title: t('Choose Another Image…'), run: ownSetting('defaultImage') },
    'widen-port-range': { title: t('Widen the Range…'), run: ownSetting('portRange') },
    'correct-remote-ssh': { title: t('Open Setting'), run: openSetting('remote.SSH.configFile') },
    'install-remote-ssh': {
      title: t('Install Remote-SSH'),
      run: () =>
        vscode.commands.executeCommand(
          'workbench.extensions.search',
          `@id:${installableRemoteExtension(vscode.env.appName)}`,
        ),
    },
  };
}

const howToDocker = browse('https://docs.docker.com/engine/install/');
const qemuPackages = (): string =>
  `${process.arch === 'arm64' ? 'qemu-system-arm' : 'qemu-system-x86'} qemu-utils e2fsprogs`;

/**
 * Types a line into a new terminal and leaves Enter to the user: it asks for a password, or installs something. A remote
 * window has terminals of the other machine only: there it goes to the clipboard.
 */
async function typed({ context }: RemedyServices, line: string, isRun = false): Promise<void> {
  const isElsewhere =
    vscode.env.remoteName !== undefined && context.extension.extensionKind === vscode.ExtensionKind.UI;
  if (isElsewhere) {
    await vscode.env.clipboard.writeText(line);
    void showInformationMessage(t('Copied “{0}”. Run it in a terminal of your own machine.', line));
    return;
  }
  const terminal = vscode.window.createTerminal({
    name: isRun ? t('Berth: Start Docker') : t('Berth: press Enter to run'),
  });
  terminal.show();
  terminal.sendText(line, isRun);
}

/** What needs no password and installs nothing runs at once, in sight. */
async function startDocker(services: RemedyServices): Promise<void> {
  const { text, needsRoot } = startLine(process.platform, { home: homedir(), has: existsSync });
  await typed(services, text, !needsRoot);
}

async function prepareKit({ runner }: RemedyServices): Promise<void> {
  await runner.run(t('Preparing the kernel of microVMs'), async (task) => {
    const body = { toolsOnly: true, runtime: 'microvm' as const };
    await task.follow(await task.client.call('images.build', { query: { wait: 0 }, body }));
  });
}

async function openSshConfig({ runner, context }: RemedyServices): Promise<void> {
  await runner.run(t('SSH config'), async ({ client, signal }) => {
    const status = await client.call('ssh.config', { query: userConfig({ context }), signal });
    await vscode.window.showTextDocument(vscode.Uri.file(status.userConfig));
  });
}
