/**
 * A path of a setting as VS Code's extensions read it: `~` in front, `${userHome}` and `${env:NAME}` anywhere. Pure,
 * without VS Code.
 */
import { join } from 'node:path';

/** The path, with what stands for others put in place. */
export function resolvedPath(text: string, env: NodeJS.ProcessEnv, home: string): string {
  const filled = text
    .replaceAll('${userHome}', () => home)
    .replace(/\$\{env:([^}]+)\}/g, (_, name: string) => env[name] ?? '');
  return /^~(?=$|[/\\])/.test(filled) ? join(home, filled.slice(1)) : filled;
}
