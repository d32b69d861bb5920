import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import type { SshConfigStatus } from '../../api';
import { BerthError } from '../../api/errors';
import type { EngineClient } from '../../client/engine-client';
import type { EngineLink } from '../../ui/engine-link';
import { choose } from '../../ui/dialog';
import { ownValue } from '../../ui/own-setting';
import { changeSetting, setting } from '../../ui/settings';
import type { Handler, Services } from '../command';
import { sideApartFromRemoteSsh, type Placed } from '../this-side';
import { installedRemoteExtension } from '../workspace/open/remote-extensions';
import { resolvedPath } from './resolved-path';
import { showInformationMessage } from '../../ui/messages';

const { t } = vscode.l10n;

/** The config file that Remote-SSH reads when it is not the usual one. Throws `bad_request` for a path that is none. */
export function userConfig(placed: Placed): { userConfig?: string } {
  if (sideApartFromRemoteSsh(placed) !== undefined || installedRemoteExtension() === undefined) {
    // Then the setting is that of another machine, or nobody's.
    return {};
  }
  const configured = ownValue(vscode.workspace.getConfiguration('remote.SSH').inspect('configFile'));
  if (typeof configured !== 'string' || configured === '') {
    return {};
  }
  const path = resolvedPath(configured, process.env, homedir());
  if (!isAbsolute(path)) {
    throw new BerthError(
      'bad_request',
      t('The setting “remote.SSH.configFile” is not an absolute path: {0}.', configured),
      { hint: t('Correct it in the settings, or leave it empty.') },
    );
  }
  return { userConfig: path };
}

/**
 * Makes sure that ssh knows our hosts: asks once whether one `Include` line may go into the config that Remote-SSH
 * reads, and remembers a yes. Throws `Cancelled` when the user backs out.
 */
export async function ensureInclude(placed: Placed, client: EngineClient): Promise<SshConfigStatus> {
  const file = userConfig(placed);
  const status = await client.call('ssh.config', { query: file });
  const choice = setting('ssh.includeConfig', 'ask');
  if (status.included || choice === 'never') {
    return status;
  }
  if (choice !== 'always') {
    await consent(status.userConfig, status.configFile);
    await changeSetting('ssh.includeConfig', 'always');
  }
  const after = await client.call('ssh.include', { body: file });
  if (after.problem !== undefined) {
    throw new BerthError('illegal_state', t('SSH does not find Berth workspaces: {0}', after.problem), {
      hint: t('Look at the lines around the Include in {0}.', after.userConfig),
    });
  }
  return after;
}

async function consent(config: string, ours: string): Promise<void> {
  await choose({
    message: t('Let SSH find Berth workspaces by name?'),
    detail: t(
      'One line goes to the top of {0}. It includes {1}\n\nNothing else in that file is changed. You are asked once.',
      config,
      ours,
    ),
    harmless: t('Add the Line'),
    others: [],
  });
}

/** The same, by hand. */
export const includeSshConfig =
  (services: Pick<Services, 'runner'> & { link: Pick<EngineLink, 'client'> } & Placed): Handler =>
  async () => {
    const { runner, link } = services;
    await link.client();
    await runner.run(t('SSH config'), async ({ client }) => {
      const { included, userConfig: file } = await ensureInclude(services, client);
      void showInformationMessage(
        included
          ? t('SSH finds Berth workspaces by name, through {0}.', file)
          : t('{0} was not changed: the setting “berth.ssh.includeConfig” is “never”.', file),
      );
    });
  };
