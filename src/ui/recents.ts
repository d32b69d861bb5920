/**
 * Which workspaces were opened in a window, and when. VS Code's own list of what was opened shows an SSH host and a folder,
 * which is the same for all of them; and the engine knows of logins, not of windows.
 */
import type { Workspace } from '../api';
import type { Memory } from './sent-settings';

const key = 'berth.recentWorkspaces';
/** Of those that are gone meanwhile nobody clears away. */
const maxKept = 100;

export interface Recent {
  workspace: Workspace;
  /** ISO 8601. */
  at: string;
  /** It was opened in a window then; else something ran or changed it. */
  wasOpened: boolean;
}

/** Notes that a workspace is opened now. `memory`: that of all windows. */
export async function noteOpened(memory: Memory, name: string, now = new Date()): Promise<void> {
  const others = Object.entries(kept(memory)).filter(([each]) => each !== name);
  const newest = others.sort(([, a], [, b]) => b.localeCompare(a)).slice(0, maxKept - 1);
  await memory.update(key, Object.fromEntries([[name, now.toISOString()], ...newest]));
}

/** A new list, what was opened or used last first. */
export function sortRecent(memory: Memory, workspaces: readonly Workspace[]): Recent[] {
  const opened = kept(memory);
  const all = workspaces.map((workspace): Recent => {
    const at = opened[workspace.name] ?? '';
    const wasOpened = at >= workspace.lastUsedAt;
    return { workspace, at: wasOpened ? at : workspace.lastUsedAt, wasOpened };
  });
  return all.sort((a, b) => b.at.localeCompare(a.at) || a.workspace.name.localeCompare(b.workspace.name));
}

function kept(memory: Memory): Record<string, string> {
  const value = memory.get(key);
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
