/** Reads the settings of package.json by their typed ids. */
import { isRuntimeKind } from '../api/rules/runtimes';
import * as vscode from 'vscode';
import type { EngineSettings } from '../api';
import { settingUses, type SettingId } from './ids';
import { ownValue } from './own-setting';

/** The value of a setting; the fallback where it has another type. */
export function setting(id: SettingId, fallback: string): string;
export function setting(id: SettingId, fallback: number): number;
export function setting(id: SettingId, fallback: boolean): boolean;
export function setting(id: SettingId, fallback: readonly string[]): readonly string[];
/** A setting's value; of one that acts only what the user's own settings say. */
export function setting(id: SettingId, fallback: unknown): unknown {
  if (settingUses[id] === 'show') {
    return shown(id) ?? fallback;
  }
  return configured(id) ?? fallback;
}

/** What settings were called before: read where the user's settings have the old name alone. */
const earlierIds: Partial<Record<SettingId, string>> = { 'files.maxEditorSizeMiB': 'files.maxEditorSizeMB' };

function shown(id: SettingId): unknown {
  const configuration = vscode.workspace.getConfiguration('berth');
  const earlier = earlierIds[id];
  const { globalValue, workspaceValue, workspaceFolderValue } = configuration.inspect(id) ?? {};
  const isSet = (workspaceFolderValue ?? workspaceValue ?? globalValue) !== undefined;
  return (earlier === undefined || isSet ? undefined : configuration.get(earlier)) ?? configuration.get(id);
}

/** A setting that is one of a few words; anything else counts as the first of them. */
export function choice<T extends string>(id: SettingId, words: readonly [T, ...T[]]): T {
  const value = setting(id, '');
  return words.find((word) => word === value) ?? words[0];
}

/** Changes a setting of the user. */
export async function changeSetting(id: SettingId, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('berth').update(id, value, vscode.ConfigurationTarget.Global);
}

/** A value the user set; undefined for a default, so that other clients' settings are not overwritten. */
function configured(id: SettingId): unknown {
  return ownValue(vscode.workspace.getConfiguration('berth').inspect(id));
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function portRange(): EngineSettings['portRange'] {
  const value = configured('portRange');
  if (typeof value !== 'object' || value === null || !('first' in value) || !('last' in value)) {
    return undefined;
  }
  const { first, last } = value;
  return isNumber(first) && isNumber(last) ? { first, last } : undefined;
}

/** The engine's settings as far as the user set them in VS Code. Folders never contribute. */
export function engineSettings(): EngineSettings {
  const range = portRange();
  const image = configured('defaultImage');
  const runtime = configured('defaultRuntime');
  const dockerHost = configured('dockerHost');
  const hostLoopback = configured('hostLoopback');
  const trashDays = configured('trash.days');
  const idle = idleSettings();
  return {
    ...(range !== undefined && { portRange: range }),
    ...(isText(image) && { defaultImage: image }),
    ...(isRuntimeKind(runtime) && { defaultRuntime: runtime }),
    ...(isText(dockerHost) && { dockerHost }),
    ...(typeof hostLoopback === 'boolean' && { hostLoopback }),
    ...(isNumber(trashDays) && { trashDays }),
    ...(Object.keys(idle).length > 0 && { idle }),
  };
}

function idleSettings(): NonNullable<EngineSettings['idle']> {
  const pauseAfter = configured('idle.pauseAfter');
  const stopAfter = configured('idle.stopAfter');
  const archiveAfter = configured('idle.archiveAfter');
  return {
    ...(isNumber(pauseAfter) && { pauseAfter }),
    ...(isNumber(stopAfter) && { stopAfter }),
    ...(isNumber(archiveAfter) && { archiveAfter }),
  };
}
