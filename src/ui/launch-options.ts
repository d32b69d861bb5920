/** How the engine is found and started from this extension. */
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { BerthError } from '../api';
import type { LaunchOptions } from '../client/launch';
import { ownValue } from './own-setting';
import { proxyEnvironment } from './proxy-environment';
import { setting } from './settings';

const { t } = vscode.l10n;

/** Throws `bad_request` for a state directory that can't be one. */
export function launchOptions(context: vscode.ExtensionContext): LaunchOptions {
  const home = setting('stateDirectory', '');
  if (home !== '' && !isAbsolute(home)) {
    throw new BerthError(
      'bad_request',
      t('The setting “{0}” is not an absolute path: {1}.', 'berth.stateDirectory', home),
      { hint: t('Correct it in the settings, or leave it empty.') },
    );
  }
  const { version } = context.extension.packageJSON as { version: string };
  return {
    enginePath: context.asAbsolutePath('dist/engine.js'),
    version,
    env: proxyEnvironment({
      proxy: ownHttpSetting('proxy'),
      noProxy: ownHttpSetting('noProxy'),
      support: ownHttpSetting('proxySupport'),
    }),
    ...(home !== '' && { home }),
  };
}

function ownHttpSetting(name: string): unknown {
  return ownValue(vscode.workspace.getConfiguration('http').inspect(name));
}
