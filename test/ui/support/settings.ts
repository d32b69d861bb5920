/** The settings of a session, which VS Code reads again when they change. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from './launch';

export async function settingsOf({ vscode }: Session): Promise<Record<string, unknown>> {
  const text = await readFile(join(vscode.directory, 'data/User/settings.json'), 'utf8');
  return JSON.parse(text) as Record<string, unknown>;
}

/** In a window of a server, settings of the machine are in a file of their own. */
export function changeMachineSettings(session: Session, changes: Record<string, unknown>): Promise<void> {
  return change(session, 'Machine', changes);
}

export function changeUserSettings(session: Session, changes: Record<string, unknown>): Promise<void> {
  return change(session, 'User', changes);
}

async function change(
  { vscode }: Session,
  scope: 'Machine' | 'User',
  changes: Record<string, unknown>,
): Promise<void> {
  const path = join(vscode.directory, 'data', scope, 'settings.json');
  const settings = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...settings, ...changes }));
}
