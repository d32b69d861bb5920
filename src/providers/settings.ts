/** Reads the settings of package.json by their typed ids. */
import * as vscode from 'vscode';
import type { EngineSettings } from '../api';
import type { SettingId } from '../commands/ids';

export function setting<T extends string | number | boolean | readonly string[]>(
  id: SettingId,
  fallback: T,
): T {
  return vscode.workspace.getConfiguration('berth').get<T>(id) ?? fallback;
}

export async function changeSetting(id: SettingId, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('berth').update(id, value, vscode.ConfigurationTarget.Global);
}

/** A value the user set; undefined for a default, so that other clients' settings are not overwritten. */
function configured<T>(id: SettingId): T | undefined {
  const found = vscode.workspace.getConfiguration('berth').inspect<T>(id);
  return found?.globalValue;
}

/** The engine's settings as far as the user set them in VS Code. Folders never contribute. */
export function engineSettings(): EngineSettings {
  const given: EngineSettings = {
    portRange: configured('portRange'),
    defaultImage: nonEmpty(configured('defaultImage')),
    defaultRuntime: configured('defaultRuntime'),
    dockerHost: nonEmpty(configured('dockerHost')),
  };
  const idle = defined({
    pauseAfter: configured<number>('idle.pauseAfter'),
    stopAfter: configured<number>('idle.stopAfter'),
    archiveAfter: configured<number>('idle.archiveAfter'),
  });
  return { ...defined(given), ...(Object.keys(idle).length > 0 && { idle }) };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<T>;
}
