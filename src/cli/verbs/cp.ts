import { mkdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { BerthError, type ConflictPolicy, type Operation, type TransferCreate } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { planCopy } from '../copy/plan';
import { exitCodes, formatFailure } from '../failure';
import { formatTable } from '../format/table';
import { printable } from '../format/text';
import { examples } from '../help';
import { follow, forEach } from '../operation';
import { reportOutcome } from '../transfer-outcome';

interface CopyOptions {
  force?: boolean;
  skip?: boolean;
  keepBoth?: boolean;
}

/** `berth cp`. */
export function registerCopy(program: Command, cli: Cli): void {
  const command = program
    .command('cp')
    .description('copy files and folders in, out, or between volumes; running or not')
    .usage('[options] <src...> <dst>')
    .argument(
      '<paths...>',
      'SRC... DST: each a local path, NAME:path in a workspace, volume:NAME:/path, or snapshot:NAME/SNAPSHOT:/path',
    )
    .option('--force', 'replace files that exist')
    .option('--skip', 'skip files that exist')
    .option('--keep-both', 'keep both: copy under a new name where a file exists')
    .option('-r, --recursive', 'always on, accepted for users of cp')
    .action((paths: string[], options: CopyOptions) => copy(cli, paths, options));
  examples(
    command,
    ['berth cp notes.md demo:', 'into the home of a workspace'],
    ['berth cp -- src demo:repo/src2', 'a folder, under a new name'],
    ['berth cp demo:output/. results', 'the contents of a folder'],
    ['berth cp demo:/etc/debian_version .', 'from outside of its volumes'],
    ['berth cp api:dump.sql volume:cache:/', 'from volume to volume'],
  );
  command.addHelpText(
    'after',
    '\nA path of a workspace means what its shell finds there, whatever is mounted: demo:a is in the home, demo:/a is not.' +
      '\nThe rules are those of GNU cp -r: links stay links, also named ones; link/ and link/. are what they lead to. Links' +
      '\nin the way are replaced, and none is made on this machine that leads out of what is copied.' +
      '\nWhen something exists at the target you are asked once; without a terminal nothing is changed.',
  );
}

async function copy(cli: Cli, paths: string[], options: CopyOptions): Promise<void> {
  const sources = paths.slice(0, -1);
  const target = paths.at(-1);
  if (target === undefined || sources.length === 0) {
    throw new BerthError('bad_request', 'Say what to copy and where to.', { hint: 'berth cp SRC... DST' });
  }
  const policy = policyOf(options);
  const client = await cli.engine();
  const plan = await planCopy(client, sources, target, { cwd: cli.cwd, paths: cli.paths });
  if (plan.makeFolder !== undefined) {
    await cli.paths.during(makeFolder(client, plan.makeFolder));
  }
  for (const failure of plan.failed) {
    cli.streams.stderr.write(formatFailure(failure, cli.json, cli.errorStyle));
    cli.exitCode = exitCodes.failure;
  }
  const operations = await forEach(cli, plan.requests, (request) => transfer(cli, client, request, policy));
  // People have seen the operation end; machines get its result.
  cli.result(operations, () => '');
}

/** What is to be done with what is there already. Throws `bad_request` for two answers at once. */
export function policyOf(options: CopyOptions): ConflictPolicy {
  const given = [options.force, options.skip, options.keepBoth].filter((flag) => flag === true);
  if (given.length > 1) {
    throw new BerthError('bad_request', 'Give only one of --force, --skip and --keep-both.');
  }
  if (options.force === true) {
    return 'overwrite';
  }
  return options.skip === true ? 'skip' : options.keepBoth === true ? 'rename' : 'fail';
}

async function makeFolder(
  client: EngineClient,
  place: { local: string } | { volume: string; path: string },
): Promise<unknown> {
  return 'local' in place
    ? mkdir(place.local)
    : client.call('files.mkdir', { params: { volume: place.volume }, body: { path: place.path } });
}

/**
 * One transfer; what exists at the target is asked about once. Throws `path_exists`, with the flags that help, where
 * nobody can be asked, else what the transfer failed with.
 */
export async function transfer(
  cli: Cli,
  client: EngineClient,
  request: TransferCreate,
  policy: ConflictPolicy,
): Promise<Operation> {
  try {
    const begun = await client.call('transfers.create', { body: { ...request, conflict: policy } });
    const ended = await follow(cli, client, begun);
    reportOutcome(cli, ended);
    return ended;
  } catch (error) {
    const failure = cli.paths.inError(error);
    if (failure.code !== 'path_exists' || policy !== 'fail') {
      throw failure;
    }
    if (!cli.isInteractive) {
      throw new BerthError(failure.code, failure.message, {
        hint: 'Add --force to replace, --skip to leave, --keep-both to copy beside what exists.',
        cause: error,
      });
    }
    return transfer(cli, client, request, await askPolicy(cli, client, request));
  }
}

async function askPolicy(cli: Cli, client: EngineClient, request: TransferCreate): Promise<ConflictPolicy> {
  const { conflicts, total } = await client.call('transfers.conflicts', {
    body: request,
    signal: cli.signal,
  });
  const shown = conflicts.slice(0, 10).map(({ path, type }) => [printable(cli.paths.typed(path)), type]);
  cli.note(formatTable([{ title: 'EXISTS' }, { title: '' }], shown));
  if (total > shown.length) {
    cli.note(`… and ${total - shown.length} more`);
  }
  const answer = await cli.ask('[r]eplace, [s]kip, [k]eep both, or cancel? ');
  const policy = ({ r: 'overwrite', s: 'skip', k: 'rename' } as const)[answer.slice(0, 1).toLowerCase()];
  if (policy === undefined) {
    throw new BerthError('cancelled', 'Nothing was copied.');
  }
  return policy;
}
