/** Which OpenSSH clients of this machine may read our configuration. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { run } from '../machine/run';
import { replaceChanged } from '../machine/whole-file';

/** Major and minor. */
export type SshVersion = readonly [number, number];

/** The first with `Include`: an older one does not read our file. */
export const firstWithInclude: SshVersion = [7, 3];
const timeoutMs = 3_000;
/** A script may run another program one day, and its file be the same. */
const keptMs = 7 * 24 * 3_600_000;

/** By path: which file it was, and the version that it said. */
const Asked = Type.Record(
  Type.String(),
  Type.Object({
    stamp: Type.String(),
    askedAt: Type.Number(),
    version: Type.Tuple([Type.Number(), Type.Number()]),
  }),
);
type Asked = Static<typeof Asked>;

/** Several may be installed, and each reads the user's configuration, whichever is first in PATH. */
function candidates({ PATH = '', SystemRoot = 'C:\\Windows' }: NodeJS.ProcessEnv): string[] {
  const isWindows = process.platform === 'win32';
  const usual = isWindows
    ? [join(SystemRoot, 'System32', 'OpenSSH')]
    : ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];
  const folders = [...PATH.split(delimiter).filter((folder) => folder !== ''), ...usual];
  return folders.map((folder) => join(folder, isWindows ? 'ssh.exe' : 'ssh'));
}

/**
 * The oldest of all that are found; `firstWithInclude` when none is. What they said is kept at `keptAt`, and a program is
 * asked again when its file is another: each start of the engine waits for this.
 */
export async function oldestClient(
  env: NodeJS.ProcessEnv = process.env,
  keptAt?: string,
): Promise<SshVersion> {
  const real = await Promise.all(candidates(env).map((path) => realpath(path).catch(() => undefined)));
  const programs = new Set(real.filter((path) => path !== undefined));
  const before = keptAt === undefined ? {} : await readAsked(keptAt);
  const found = await Promise.all([...programs].map((program) => ask(program, before[program])));
  const asked = found.flatMap((entries) => Object.entries(entries));
  if (keptAt !== undefined) {
    // Where nothing can be written they are asked again.
    await replaceChanged(keptAt, JSON.stringify(Object.fromEntries(asked))).catch(() => undefined);
  }
  const known = asked.map(([, { version }]) => version);
  return known.sort(([a, b], [c, d]) => a - c || b - d)[0] ?? firstWithInclude;
}

async function readAsked(path: string): Promise<Asked> {
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Value.Check(Asked, content) ? content : {};
  } catch {
    return {};
  }
}

/** Nothing of a program that does not say its version: the next start asks it again. */
async function ask(program: string, before: Asked[string] | undefined): Promise<Asked> {
  const stamp = await stampOf(program);
  const now = Date.now();
  if (before?.stamp === stamp && Math.abs(now - before.askedAt) < keptMs) {
    return { [program]: before };
  }
  const version = await versionOf(program);
  return version === undefined ? {} : { [program]: { stamp, askedAt: now, version: [...version] } };
}

/** Another after an update, also one that sets back the time of its files. */
async function stampOf(program: string): Promise<string> {
  const found = await stat(program).catch(() => undefined);
  return [found?.dev, found?.ino, found?.size, found?.mtimeMs, found?.ctimeMs].join(' ');
}

async function versionOf(program: string): Promise<SshVersion | undefined> {
  const options = { what: 'ask ssh for its version', timeoutMs };
  const end = await run(program, ['-V'], options).catch(() => undefined);
  // Said on standard error: `OpenSSH_9.2p1 Debian-2, …`, `OpenSSH_for_Windows_8.1p1, …`.
  const said = `${end?.stderr ?? ''}${end?.stdout ?? ''}`;
  const [, major, minor] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(said) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}
