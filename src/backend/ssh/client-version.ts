/** Which OpenSSH clients of this machine may read our configuration. */
import { realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from '../machine/run';

/** Major and minor. */
export type SshVersion = readonly [number, number];

/** The first with `Include`: an older one does not read our file. */
export const firstWithInclude: SshVersion = [7, 3];
const timeoutMs = 3_000;

/** Several may be installed, and each reads the user's configuration, whichever is first in PATH. */
function candidates({ PATH = '', SystemRoot = 'C:\\Windows' }: NodeJS.ProcessEnv): string[] {
  const isWindows = process.platform === 'win32';
  const usual = isWindows
    ? [join(SystemRoot, 'System32', 'OpenSSH')]
    : ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];
  const folders = [...PATH.split(delimiter).filter((folder) => folder !== ''), ...usual];
  return folders.map((folder) => join(folder, isWindows ? 'ssh.exe' : 'ssh'));
}

/** The oldest of all that are found; `firstWithInclude` when none is. */
export async function oldestClient(env: NodeJS.ProcessEnv = process.env): Promise<SshVersion> {
  const real = await Promise.all(candidates(env).map((path) => realpath(path).catch(() => undefined)));
  const programs = new Set(real.filter((path) => path !== undefined));
  const versions = await Promise.all([...programs].map(versionOf));
  const known = versions.filter((version) => version !== undefined);
  return known.sort(([a, b], [c, d]) => a - c || b - d)[0] ?? firstWithInclude;
}

async function versionOf(program: string): Promise<SshVersion | undefined> {
  const options = { what: 'ask ssh for its version', timeoutMs };
  const end = await run(program, ['-V'], options).catch(() => undefined);
  // Said on standard error: `OpenSSH_9.2p1 Debian-2, …`, `OpenSSH_for_Windows_8.1p1, …`.
  const said = `${end?.stderr ?? ''}${end?.stdout ?? ''}`;
  const [, major, minor] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(said) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}
