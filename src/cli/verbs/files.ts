import { posix } from 'node:path';
import type { Command } from 'commander';
import { BerthError } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { examples } from '../help';
import { follow, forEach } from '../operation';
import { parseRemote } from '../parse/place';
import { isFolder, resolveVolume, statOf, type VolumePath } from '../remote';
import { pumpOutput } from '../terminal/attached';
import { tellOutcome } from '../transfer-outcome';
import { registerLs } from './ls';

/** `ls`, `cat`, `mkdir`, `mv`, `rm`: inside volumes, whoever holds them. */
export function registerFiles(program: Command, cli: Cli): void {
  registerLs(program, cli);
  examples(
    program
      .command('cat')
      .description('write files of volumes to standard output')
      .argument('<path...>', 'NAME:/path or volume:NAME:/path')
      .action((paths: string[]) => cat(cli, paths)),
    ['berth cat demo:/notes.md', ''],
  );
  examples(
    program
      .command('mkdir')
      .description('make folders in volumes')
      .argument('<path...>', 'NAME:/path or volume:NAME:/path')
      .option('-p, --parents', 'make missing parents too; fine when it exists')
      .action((paths: string[], options: { parents?: boolean }) =>
        mkdir(cli, paths, options.parents === true),
      ),
    ['berth mkdir -p demo:/data/raw', ''],
  );
  examples(
    program
      .command('mv')
      .description('move or rename inside a volume, or move to another volume')
      .argument('<src>', 'NAME:/path or volume:NAME:/path')
      .argument('<dst>', 'an existing folder to move into, or the new name')
      .option('--force', 'replace what exists')
      .action((from: string, to: string, options: { force?: boolean }) =>
        move(cli, from, to, options.force === true),
      ),
    ['berth mv demo:/a.txt demo:/b.txt', ''],
  );
  examples(
    program
      .command('rm')
      .description('remove files, or folders with -r, from volumes')
      .argument('<path...>', 'NAME:/path or volume:NAME:/path')
      .option('-r, --recursive', 'folders with all that is in them')
      .action((paths: string[], options: { recursive?: boolean }) =>
        remove(cli, paths, options.recursive === true),
      ),
    ['berth rm -r demo:/build', ''],
  );
}

async function open(cli: Cli, texts: readonly string[]): Promise<VolumePath[]> {
  const client = await cli.engine();
  const places = texts.map(parseRemote);
  return Promise.all(places.map((place) => resolveVolume(client, place, cli.signal)));
}

/** All are read as names before the first is touched; whether they are there is found out one by one. */
async function forEachPlace<T>(
  cli: Cli,
  texts: readonly string[],
  act: (client: EngineClient, place: VolumePath) => Promise<T>,
): Promise<T[]> {
  const client = await cli.engine();
  const places = texts.map(parseRemote);
  return forEach(cli, places, async (place) => act(client, await resolveVolume(client, place, cli.signal)));
}

async function cat(cli: Cli, texts: string[]): Promise<void> {
  await forEachPlace(cli, texts, async (client, { volume, path }) => {
    const content = await client.openFile(volume, path, { signal: cli.signal });
    await pumpOutput(content, cli.streams.stdout, cli.signal);
  });
}

async function mkdir(cli: Cli, texts: string[], parents: boolean): Promise<void> {
  const made = await forEachPlace(cli, texts, (client, { volume, path }) =>
    client.call('files.mkdir', { params: { volume }, body: { path, ...(parents && { parents }) } }),
  );
  cli.result(made, () => '');
}

async function remove(cli: Cli, texts: string[], recursive: boolean): Promise<void> {
  const root = texts.find((text) => parseRemote(text).path === '/');
  if (root !== undefined) {
    throw new BerthError('bad_request', `${root} is the root of a volume, which can't be removed.`, {
      hint: 'Name what is in it, or delete the volume.',
    });
  }
  const removed = await forEachPlace(cli, texts, async (client, { volume, path }) => {
    await client.call('files.remove', {
      params: { volume },
      body: { path, ...(recursive && { recursive }) },
    });
    return { volume, path };
  });
  cli.result(removed, () => '');
}

async function move(cli: Cli, source: string, target: string, overwrite: boolean): Promise<void> {
  const client = await cli.engine();
  const [from, to] = await open(cli, [source, target]);
  if (from === undefined || to === undefined) {
    return;
  }
  const existing = await statOf(client, to);
  const into = existing !== undefined && isFolder(existing);
  const path = into ? posix.join(to.path, posix.basename(from.path)) : to.path;
  if (from.volume === to.volume) {
    const body = { from: from.path, to: path, overwrite };
    const moved = await client.call('files.rename', { params: { volume: to.volume }, body });
    cli.result(moved, () => '');
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
  tellOutcome(cli, ended);
  cli.result(ended, () => '');
}
