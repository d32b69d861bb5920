import * as vscode from 'vscode';
import { asBerthError, type Check } from '../../../api';
import { userConfig } from '../../ssh/include';
import { sideApartFromRemoteSsh, type Placed } from '../../this-side';
import { installedRemoteExtension } from '../../workspace/open/remote-extensions';
import type { PageRemedy } from './remedies';

const { t } = vscode.l10n;

export type PageCheck = Omit<Check, 'remedies'> & { remedies?: readonly PageRemedy[] | undefined };

/** What the engine can't know: whether this window can open workspaces, and through which extension. */
export function remoteCheck(placed: Placed): PageCheck {
  const base = { name: 'remote-ssh', title: t('Remote-SSH extension') };
  const side = sideApartFromRemoteSsh(placed);
  if (side !== undefined) {
    const message = t(
      'Berth runs on the remote side of this window ({0}): Remote-SSH of your own machine can’t open its workspaces.',
      side,
    );
    return { ...base, outcome: 'skipped', message };
  }
  const id = installedRemoteExtension();
  if (id === undefined) {
    const message = t(
      'None is installed: workspaces open as a terminal and as a folder, but not in a window.',
    );
    return { ...base, outcome: 'warning', message, remedies: ['install-remote-ssh'] };
  }
  try {
    userConfig(placed);
    return { ...base, outcome: 'ok', message: t('{0} opens workspaces in a window.', id) };
  } catch (thrown) {
    const { message, hint } = asBerthError(thrown);
    const remedies: PageRemedy[] = ['correct-remote-ssh'];
    return { ...base, outcome: 'failed', message, ...(hint !== undefined && { hint }), remedies };
  }
}
