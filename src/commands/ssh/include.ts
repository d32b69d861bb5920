import * as vscode from 'vscode';
import { BerthError } from '../../api/errors';
import type { EngineClient } from '../../client/engine-client';
import { ownValue } from '../../providers/own-setting';
import { changeSetting, setting } from '../../providers/settings';
import type { Handler, Services } from '../command';
import { Cancelled } from '../runner';

const { t } = vscode.l10n;

/** The config file that Remote-SSH reads when it is not the usual one. */
function userConfig(): string | undefined {
  const configured = ownValue(vscode.workspace.getConfiguration('remote.SSH').inspect('configFile'));
  return typeof configured === 'string' && configured !== '' ? configured : undefined;
}

/**
 * Makes sure that ssh knows our hosts: asks once whether one `Include` line may go into the user's config and
 * remembers a yes. Throws `Cancelled` when the user backs out.
 */
export async function ensureInclude(client: EngineClient): Promise<boolean> {
  const status = await client.call('ssh.config', {});
  const choice = setting('ssh.includeConfig', 'ask');
  if (status.included || choice === 'never') {
    return status.included;
  }
  const file = userConfig();
  if (choice !== 'always') {
    await consent(file ?? status.userConfig, status.configFile);
    await changeSetting('ssh.includeConfig', 'always');
  }
  const after = await client.call('ssh.include', { body: file === undefined ? {} : { userConfig: file } });
  if (after.problem !== undefined) {
    throw new BerthError('illegal_state', t('SSH does not find Berth workspaces: {0}', after.problem), {
      hint: t('Look at the lines around the Include in {0}.', after.userConfig),
    });
  }
  return after.included;
}

async function consent(config: string, ours: string): Promise<void> {
  const add = t('Add the Line');
  const answer = await vscode.window.showWarningMessage(
    t('Let SSH find Berth workspaces by name?'),
    {
      modal: true,
      detail: t(
        'One line goes to the top of {0}. It includes {1}\n\nNothing else in that file is changed. You are asked once.',
        config,
        ours,
      ),
    },
    add,
  );
  if (answer !== add) {
    throw new Cancelled();
  }
}

/** The same, by hand. */
export const includeSshConfig =
  ({ runner, link }: Pick<Services, 'runner' | 'link'>): Handler =>
  async () => {
    await link.client();
    await runner.run(t('SSH config'), async ({ client }) => {
      const included = await ensureInclude(client);
      const { userConfig: file } = await client.call('ssh.config', {});
      void vscode.window.showInformationMessage(
        included
          ? t('SSH finds Berth workspaces by name, through {0}.', file)
          : t('{0} was left alone: the setting “berth.ssh.includeConfig” is “never”.', file),
      );
    });
  };
