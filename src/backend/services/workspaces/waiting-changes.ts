/** Changes that are on record and not in force yet: what each of them waits for. */
import type { WorkspaceRegistry } from './registry';

/** The code of what is said of limits that the next start puts in force. */
export const limitsAtStart = 'limits-at-start';

interface Waiting {
  needsRebuild: readonly string[];
  needsRestart?: readonly string[];
}

/** Notes a warning that says what a change waits for, or takes back the one of before. */
export async function reportWaiting(
  registry: WorkspaceRegistry,
  name: string,
  what: 'limits' | 'ports',
  { needsRebuild, needsRestart = [] }: Waiting,
): Promise<void> {
  if (needsRebuild.length > 0) {
    await registry.warn(name, {
      code: what,
      message: `Takes effect with the next rebuild: ${needsRebuild.join(', ')}.`,
      hint: `\`berth rebuild ${name}\` keeps all volumes.`,
    });
  }
  if (needsRestart.length > 0) {
    await registry.warn(name, {
      code: limitsAtStart,
      message: `Takes effect with the next start: ${needsRestart.join(', ')}.`,
      hint: `\`berth restart ${name}\` does that.`,
    });
  }
}
