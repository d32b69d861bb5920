/** `--output LOCAL=PATH`: what a command leaves behind, copied to this machine when it has ended. */
import { mkdir } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import { BerthError, asBerthError, type Workspace } from '../api';
import type { Cli } from './cli';
import { formatFailure } from './failure';
import { localPath } from './parse/sources';
import type { VolumePath } from './remote';
import { transfer } from './verbs/cp';

export interface Output {
  local: string;
  /** As it was given. */
  path: string;
  at: VolumePath;
}

const homes = ['/home/workspace', '/workspace'];

/** Before the command runs: what can't be copied is said while there is nothing to lose. */
export async function locateOutputs(cli: Cli, name: string, texts: readonly string[]): Promise<Output[]> {
  if (texts.length === 0) {
    return [];
  }
  const client = await cli.engine();
  const workspace = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  return texts.map((text) => {
    const split = text.indexOf('=');
    const [local, path] = [text.slice(0, split), text.slice(split + 1)];
    if (split < 1 || path === '') {
      throw new BerthError('bad_request', `"${text}" is not LOCAL=PATH.`, {
        hint: 'For example --output report=/home/workspace/report.',
      });
    }
    return { local: localPath(local, cli.cwd), path, at: locate(workspace, path) };
  });
}

/** The volume that a path inside is on; relative ones are in the home. */
export function locate(
  { name, homeVolume, spec }: Pick<Workspace, 'name' | 'homeVolume' | 'spec'>,
  path: string,
): VolumePath {
  const inside = posix.resolve('/home/workspace', path.replace(/^~(?=\/|$)/, '/home/workspace'));
  const places = [
    ...homes.map((target) => ({ volume: homeVolume, target })),
    ...(spec.mounts ?? [])
      .filter(({ kind }) => kind === 'volume')
      .map(({ source, target }) => ({ volume: source, target: posix.normalize(target) })),
  ];
  // The innermost counts.
  const found = places
    .filter(({ target }) => inside === target || inside.startsWith(`${target.replace(/\/$/, '')}/`))
    .sort((a, b) => b.target.length - a.target.length)[0];
  if (found === undefined) {
    throw new BerthError('bad_request', `${path} of ${name} is not on a volume: it can't be copied out.`, {
      hint: 'Have the command write below /home/workspace.',
    });
  }
  const at = posix.join('/', inside.slice(found.target.length));
  if (at === '/') {
    throw new BerthError('bad_request', `${path} is a whole volume.`, { hint: 'Name something in it.' });
  }
  return { volume: found.volume, path: at };
}

/** All that are there, whatever became of the command; what was there on this machine is replaced. */
export async function collectOutputs(cli: Cli, outputs: readonly Output[]): Promise<void> {
  for (const output of outputs) {
    try {
      await collectOutput(cli, output);
    } catch (error) {
      const { code, message } = asBerthError(error);
      const told =
        code === 'path_not_found'
          ? new BerthError(code, `The output ${output.path} is missing: the command has not made it.`)
          : new BerthError(code, `The output ${output.path} was not copied: ${message}`);
      cli.streams.stderr.write(formatFailure(told, cli.json, cli.errorStyle));
      cli.exitCode = cli.exitCode === 0 ? 1 : cli.exitCode;
    }
  }
}

async function collectOutput(cli: Cli, { local, at }: Output): Promise<void> {
  const client = await cli.engine();
  await client.call('files.stat', { params: { volume: at.volume }, query: { path: at.path } });
  await mkdir(dirname(local), { recursive: true });
  // Under that very name, also when there is a folder of the last time.
  const from = { volume: at.volume, paths: [at.path] };
  await transfer(cli, client, { from, to: { local }, exact: true }, 'overwrite');
}
