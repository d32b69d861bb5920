/** Ships the agent: its source goes in by standard input, so that it always is the one that this engine knows. */
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** In the order in which they need each other. */
const agentModules: readonly string[] = [
  'errors',
  'names',
  'places',
  'mounts',
  'unsized',
  'attributes',
  'durable',
  'holes',
  'entries',
  'saving',
  'content',
  'search',
  'copying',
  'opened',
  'trees',
  'copied',
  'leftovers',
  'swapping',
  'stages',
  'watches',
  'tarformat',
  'tarout',
  'tarin',
  'archives',
  ...['walk', 'manifest', 'duplicate', 'inventory'],
  'main',
];

/** Of the program that makes the own files of one container those of another. */
export const ownFilesModules: readonly string[] = ['holes', 'attributes', 'mounts', 'ownfiles'];

/** Of the program that makes snapshots of volumes, and puts them back. */
export const snapshotModules: readonly string[] = [
  ...[
    'errors',
    'names',
    'places',
    'mounts',
    'attributes',
    'durable',
    'holes',
    'unsized',
    'entries',
    'opened',
  ],
  ...[
    'trees',
    'walk',
    'manifest',
    'duplicate',
    'keeping',
    'swapping',
    'putting',
    'inventory',
    'verified',
    'verifying',
    'snapshots',
  ],
];

/** Reads the modules from standard input (a length, a line break, JSON) and leaves the rest of it to them. */
const bootstrap = `import sys,json,types
f=sys.stdin.buffer
for n,s in json.loads(f.read(int(f.readline()))):
 m=sys.modules[n]=types.ModuleType(n)
 exec(compile(s,n+'.py','exec'),m.__dict__)
m.main(*sys.argv[1:])
`;

/**
 * The command that runs the agent on a folder, or another of its programs with what that one takes. `-I -S`: nothing of
 * the machine it runs on has a say. `user`: the id that an empty folder is given to, if it is root's.
 */
export function agentCommand(python: string, root: string, user?: number): string[] {
  const given = user === undefined ? [] : [String(user)];
  return [python, '-I', '-S', '-X', 'utf8', '-c', bootstrap, root, ...given];
}

/** What the command reads before its first request. */
export async function agentSource(
  directory: string,
  modules: readonly string[] = agentModules,
): Promise<Buffer> {
  const sources = await Promise.all(
    modules.map(async (name) => [name, await readFile(join(directory, `${name}.py`), 'utf8')]),
  );
  const text = Buffer.from(JSON.stringify(sources));
  return Buffer.concat([Buffer.from(`${text.length}\n`), text]);
}

/**
 * The folder `images/tools/agent`, looked for from a folder upwards: beside the bundles, or in the repository. Throws
 * where it is missing.
 */
export function findAgentDirectory(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'images', 'tools', 'agent');
    if (existsSync(join(found, 'main.py'))) {
      return found;
    }
    if (folder === dirname(folder)) {
      throw new Error(`images/tools/agent is missing: looked from ${from} upwards.`);
    }
  }
}
