import { posix } from 'node:path';
import type { Command } from 'commander';
import { BerthError, asBerthError } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { examples } from '../help';
import { follow, forEach } from '../operation';
import { parseRemote } from '../parse/place';
import { isFolder, missingHint, resolvePlace, statOf, writable, type Located } from '../remote';
import { pumpOutput } from '../terminal/attached';
import { reportOutcome } from '../transfer-outcome';
import { registerLs } from './ls';

/** `ls`, `cat`, `mkdir`, `mv`, `rm`: what is in workspaces and volumes, whoever holds them. */
export function registerFiles(program: Command, cli: Cli): void {
  registerLs(program, cli);
  examples(
    program
      .command('cat')
      .description('write files of workspaces and volumes to standard output')
      .argument('<path...>', 'NAME:path or volume:NAME:/path')
      .action((paths: string[]) => cat(cli, paths)),
    ['berth cat demo:notes.md', ''],
  );
  examples(
    program
      .command('mkdir')
      .description('make folders in workspaces and volumes')
      .argument('<path...>', 'NAME:path or volume:NAME:/path')
      .option('-p, --parents', 'make missing parents too; fine when it exists')
      .action((paths: string[], options: { parents?: boolean }) =>
        mkdir(cli, paths, options.parents === true),
      ),
    ['berth mkdir -p demo:data/raw', ''],
  );
  examples(
    program
      .command('mv')
      .description('move or rename inside a volume, or move to another volume')
      .argument('<src>', 'NAME:path or volume:NAME:/path')
      .argument('<dst>', 'an existing folder to move into, or the new name')
      .option('--force', 'replace files that exist')
      .action((from: string, to: string, options: { force?: boolean }) =>
        cli.paths.during(move(cli, from, to, options.force === true)),
      ),
    ['berth mv demo:a.txt demo:b.txt', ''],
  );
  examples(
    program
      .command('rm')
      .description('remove files, or folders with -r, from workspaces and volumes')
      .argument('<path...>', 'NAME:path or volume:NAME:/path')
      .option('-r, --recursive', 'folders with all that is in them')
      .action((paths: string[], options: { recursive?: boolean }) =>
        remove(cli, paths, options.recursive === true),
      ),
    ['berth rm -r demo:build', ''],
  );
}

type RemotePlace = ReturnType<typeof parseRemote>;

async function open(cli: Cli, text: string, follow: boolean): Promise<Located> {
  return locatePlace(cli, parseRemote(text), text, { follow });
}

/** From here on its path is named as it was typed. */
async function locatePlace(
  cli: Cli,
  place: RemotePlace,
  text: string,
  options: { follow?: boolean } = {},
): Promise<Located> {
  const at = await resolvePlace(await cli.engine(), place, { ...options, signal: cli.signal });
  cli.paths.add(at.path, text);
  return at;
}

/** What is to be removed or moved is named itself: neither `.` nor what a link leads to by a `/` at its end. */
async function openToTake(cli: Cli, text: string): Promise<Located> {
  const place = requireName(text);
  const path = place.path.replace(/(?<=.)\/+$/, '');
  const at = writable(await locatePlace(cli, { ...place, path }, text));
  await requireFolderBySlash(await cli.engine(), at, text);
  return at;
}

/** Throws where a path ends in `.` or `..`, as rm and mv do: it is not what people mean who write so. */
function requireName(text: string): RemotePlace {
  const place = parseRemote(text);
  if (/[/:]\.{1,2}\/*$/.test(text)) {
    throw new BerthError('bad_request', `${text} ends in a dot, which is no name.`, {
      hint: 'Name the folder itself, by its path.',
    });
  }
  return place;
}

/** `file/` is nothing, and `link/` is not the link. */
async function requireFolderBySlash(client: EngineClient, at: Located, text: string): Promise<void> {
  const entry = text.endsWith('/') ? await statOf(client, at) : undefined;
  if (entry !== undefined && entry.type !== 'directory') {
    const what = entry.type === 'symlink' ? 'link' : 'file';
    throw new BerthError('not_a_directory', `${text} is a ${what}, not a folder.`, {
      hint: 'Name it without the slash at the end.',
    });
  }
}

/** The same for what is to be changed. */
async function openToChange(cli: Cli, text: string, follow: boolean): Promise<Located> {
  return writable(await open(cli, text, follow));
}

/** All are read as names before the first is touched; whether they are there is found out one by one. */
async function forEachPlace<T>(
  cli: Cli,
  texts: readonly string[],
  act: (client: EngineClient, text: string) => Promise<T>,
): Promise<T[]> {
  const client = await cli.engine();
  texts.forEach((text) => parseRemote(text));
  return forEach(cli, texts, (text) => {
    cli.paths.clear();
    return cli.paths.during(act(client, text));
  });
}

async function cat(cli: Cli, texts: string[]): Promise<void> {
  await forEachPlace(cli, texts, async (client, text) => {
    const at = await open(cli, text, true);
    const content = await client
      .openFile(at.volume, at.path, { signal: cli.signal })
      .catch((error: unknown) => nothingAt(client, at, text, error));
    await pumpOutput(content, cli.streams.stdout, cli.signal);
  });
}

/** Throws the error; what is not there in the words of who asked, as its path in the volume is another one inside. */
async function nothingAt(client: EngineClient, at: Located, text: string, error: unknown): Promise<never> {
  const failure = asBerthError(error);
  if (failure.code !== 'path_not_found') {
    throw failure;
  }
  const hint = await missingHint(client, at);
  throw new BerthError(failure.code, `There is nothing at "${text}".`, { ...hint, cause: error });
}

/** Throws the error; a missing folder above what is to be made in the words of who asked. */
function noFolderFor(text: string, error: unknown): never {
  const failure = asBerthError(error);
  throw failure.code === 'path_not_found'
    ? new BerthError(failure.code, `The folder that ${text} would be in is not there.`, {
        hint: 'Make it first: `berth mkdir -p`.',
        cause: error,
      })
    : failure;
}

async function mkdir(cli: Cli, texts: string[], parents: boolean): Promise<void> {
  const made = await forEachPlace(cli, texts, async (client, text) => {
    const { volume, path } = await openToChange(cli, text, true);
    return client
      .call('files.mkdir', { params: { volume }, body: { path, ...(parents && { parents }) } })
      .catch((error: unknown) => {
        const failure = asBerthError(error);
        throw failure.code === 'path_not_found' && !parents
          ? new BerthError(failure.code, `The folder that ${text} would be in is not there.`, {
              hint: 'Add -p to make it, too.',
              cause: error,
            })
          : failure;
      });
  });
  cli.result(made, () => '');
}

async function remove(cli: Cli, texts: string[], recursive: boolean): Promise<void> {
  const root = texts.find((text) => /^\/?$/.test(parseRemote(text).path));
  if (root !== undefined) {
    throw rootStays(root);
  }
  texts.forEach((text) => requireName(text));
  const removed = await forEachPlace(cli, texts, async (client, text) => {
    const at = await openToTake(cli, text);
    refuseMounted(at);
    const { volume, path } = at;
    if (path === '/') {
      throw rootStays(text);
    }
    if (!recursive) {
      await client
        .call('files.remove', { params: { volume }, body: { path } })
        .catch(async (error: unknown) => {
          const failure = asBerthError(error);
          throw failure.code === 'directory_not_empty'
            ? new BerthError(failure.code, `The folder ${text} is not empty.`, {
                hint: 'Add -r to remove it with all that is in it.',
                cause: error,
              })
            : await nothingAt(client, at, text, failure);
        });
      return { volume, path };
    }
    const begun = await client.call('removals.create', { body: { volume, paths: [path] } });
    await follow(cli, client, begun).catch((error: unknown) => nothingAt(client, at, text, error));
    return { volume, path };
  });
  cli.result(removed, () => '');
}

function rootStays(text: string): BerthError {
  const place = parseRemote(text);
  const whole =
    place.kind === 'snapshot'
      ? `\`berth snapshot delete ${place.of ?? 'VOLUME'} ${place.name}\` deletes the snapshot`
      : place.kind === 'volume'
        ? `\`berth volume delete ${place.name}\` deletes the volume`
        : `\`berth delete ${place.name}\` deletes the workspace`;
  return new BerthError('bad_request', `${text} is the root of a volume, which can't be removed.`, {
    hint: `Name a file or folder in it. ${whole}.`,
  });
}

/** What goes with a folder must be in it: a volume that is mounted below it is another matter. */
function refuseMounted({ seen }: Located): void {
  const mount = seen?.mounts[0];
  if (seen !== undefined && mount !== undefined) {
    const what = mount.volume === undefined ? 'Something else' : `The volume ${mount.volume}`;
    throw new BerthError(
      'in_use',
      `${what} is mounted at ${posix.join(seen.inside, mount.path)} in ${seen.workspace}.`,
      {
        hint: 'Name the other files of the folder instead.',
      },
    );
  }
}

async function move(cli: Cli, source: string, target: string, overwrite: boolean): Promise<void> {
  const client = await cli.engine();
  const from = await openToTake(cli, source);
  const named = await openToChange(cli, target, false);
  const followed = await openToChange(cli, target, true);
  refuseMounted(from);
  const moved = await statOf(client, from);
  if (moved === undefined) {
    await nothingAt(client, from, source, new BerthError('path_not_found', `There is no ${from.path}.`));
  }
  const existing = await statOf(client, followed);
  const into = existing !== undefined && isFolder(existing);
  if (!into && moved?.type !== 'directory' && /\/\.{0,2}$/.test(target)) {
    throw new BerthError('path_not_found', `There is no folder "${target}".`, {
      hint: 'Make it first: `berth mkdir -p`.',
    });
  }
  const to = into ? followed : named;
  const path = into ? posix.join(to.path, posix.basename(from.path)) : to.path;
  if (from.volume === to.volume) {
    const body = { from: from.path, to: path, overwrite };
    const renamed = await client
      .call('files.rename', { params: { volume: to.volume }, body })
      .catch((error: unknown) => noFolderFor(target, error));
    cli.result(renamed, () => '');
    return;
  }
  const begun = await client.call('transfers.create', {
    body: {
      from: { volume: from.volume, paths: [from.path] },
      to: { volume: to.volume, path },
      exact: true,
      move: true,
      conflict: overwrite ? 'overwrite' : 'fail',
    },
  });
  const ended = await follow(cli, client, begun);
  reportOutcome(cli, ended);
  cli.result(ended, () => '');
}
