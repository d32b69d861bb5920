/**
 * The program behind `ProxyCommand` of workspaces that do not run. ssh hands its line to the user's shell, whichever that
 * is: so it names one small script of ours, and all the rest is in there, for a shell that we know.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaceChanged } from '../machine/whole-file';

export interface ProxyProgram {
  /** Node, or VS Code's own program as one. */
  execPath: string;
  script: string;
  /** What the engine that it starts needs to be the same. */
  env: Readonly<Record<string, string>>;
}

/** In `dist` it is a bundle beside the engine's; in tests it is where its source is. */
export function ownProxyProgram(home: string, env: NodeJS.ProcessEnv = process.env): ProxyProgram {
  const bundled = join(__dirname, 'ssh-proxy.js');
  const { BERTH_CACHE } = env;
  return {
    execPath: process.execPath,
    script: existsSync(bundled) ? bundled : join(__dirname, '../../client/ssh-proxy/main.js'),
    env: {
      BERTH_HOME: home,
      ELECTRON_RUN_AS_NODE: '1',
      ...(BERTH_CACHE !== undefined && { BERTH_CACHE }),
    },
  };
}

/** Plain for every shell that a user may have (sh, bash, zsh, fish, csh): all others get a backslash. */
const notPlain = /[^\w/.,:@+=\u0080-\u{10ffff}-]/gu;

/** The value of `ProxyCommand`, with `%` as ssh wants it. */
export function proxyCommand(
  wrapper: string,
  words: readonly string[],
  platform: NodeJS.Platform = process.platform,
): string {
  const program =
    platform === 'win32'
      ? `"${wrapper.replaceAll('\\', '/')}"`
      : `/bin/sh ${wrapper.replace(notPlain, (character) => `\\${character}`)}`;
  return [program.replaceAll('%', '%%'), ...words].join(' ');
}

/** The script, in the language of the platform's shell. */
export function renderWrapper(
  { execPath, script, env }: ProxyProgram,
  platform: NodeJS.Platform = process.platform,
): string {
  const entries = Object.entries(env);
  if (platform === 'win32') {
    const quote = (text: string): string => text.replaceAll('%', '%%');
    const sets = entries.map(([name, value]) => `@set "${name}=${quote(value)}"`);
    return [...sets, `@"${quote(execPath)}" "${quote(script)}" %*`, ''].join('\r\n');
  }
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const exports = entries.map(([name, value]) => `export ${name}=${quote(value)}`);
  return [
    '# Written by Berth: changes are lost.',
    ...exports,
    `exec ${quote(execPath)} ${quote(script)} "$@"`,
    '',
  ].join('\n');
}

/** Writes the script, whole or not at all. Throws `no_space`. */
export function writeWrapper(path: string, program: ProxyProgram): Promise<void> {
  return replaceChanged(path, renderWrapper(program));
}
