import type { Command } from 'commander';
import { BerthError, type Snapshot, type SnapshotCreate } from '../../api';
import { resultOf } from '../../api/rules/results';
import { snapshotFilesOf } from '../../api/rules/root-files';
import { formatBytes } from '../../api/rules/sizes';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { registerSnapshotAuto } from './snapshot-auto';
import { registerSnapshotPolicies } from './snapshot-policies';
import { formatDate } from '../format/time';
import { diff, type DiffOptions, type Sides } from '../diff/diff';
import { examples } from '../help';
import { follow, forEach } from '../operation';
import { listOf, snapshotOf, snapshotsOf, volumeOf } from '../snapshot-names';
import { addForms } from './diff';
import { formatAllSnapshots, formatCheck, formatSnapshot, formatSnapshots } from '../snapshots';

interface CreateOptions {
  name?: string;
  description?: string;
}

interface VerifyOptions {
  all?: boolean;
  full?: boolean;
}

interface RestoreOptions {
  yes?: boolean;
  keep: boolean;
}

const of = 'a volume, or a workspace, for its home';
const which = 'its id or its name';

/** `snapshot create|list|show|diff|verify|restore|delete`. */
export function registerSnapshot(program: Command, cli: Cli): void {
  const snapshot = program
    .command('snapshot')
    .description('create, list, show, compare, verify, restore and delete snapshots of volumes');
  examples(
    snapshot
      .command('create')
      .description('keep a volume as it is now; of a disk, nothing may run on it')
      .argument('<volume>', of)
      .option('--name <name>', 'lowercase letters, digits and hyphens')
      .option('--description <text>', 'a line for people')
      .action((volume: string, options: CreateOptions) => create(cli, volume, options)),
    ['berth snapshot create demo --name before-upgrade', ''],
  );
  examples(
    snapshot
      .command('list')
      .description('list snapshots of a volume, or of all, newest first; also of those that are gone')
      .argument('[volume]', of)
      .action((volume: string | undefined) => (volume === undefined ? listAll(cli) : list(cli, volume))),
    ['berth snapshot list demo', ''],
  );
  examples(
    snapshot
      .command('show')
      .alias('info')
      .description('show all about a snapshot')
      .argument('<volume>', of)
      .argument('<snapshot>', which)
      .action((volume: string, name: string) => show(cli, volume, name)),
    ['berth snapshot show demo before-upgrade', ''],
  );
  registerCompare(snapshot, cli);
  registerVerify(snapshot, cli);
  registerChanges(snapshot, cli);
  registerSnapshotAuto(snapshot, cli);
  registerSnapshotPolicies(snapshot, cli);
}

function registerCompare(snapshot: Command, cli: Cli): void {
  const command = snapshot
    .command('diff')
    .description('show what has changed since a snapshot, or between two')
    .argument('<volume>', of)
    .argument('<snapshot>', which)
    .argument('[other]', 'a later snapshot; without it, what is there now')
    .action((volume: string, name: string, other: string | undefined, options: DiffOptions) =>
      diff(cli, options, (client) => sidesOf(client, volume, name, other, cli.signal)),
    );
  addForms(command);
  examples(
    command,
    ['berth snapshot diff demo before-upgrade', ''],
    ['berth snapshot diff demo before-upgrade after-upgrade --stat', ''],
  );
}

function registerVerify(snapshot: Command, cli: Cli): void {
  const command = snapshot
    .command('verify')
    .description('read snapshots, and say what in them is not as it was when they were made')
    .argument('<volume>', of)
    .argument('[snapshot]', `${which}; without it, the newest`)
    .option('--all', 'all of the volume')
    .option('--full', 'read also what has not changed since it was last read')
    .action((volume: string, name: string | undefined, options: VerifyOptions) =>
      verify(cli, volume, name, options),
    );
  examples(command, ['berth snapshot verify demo --all', '']);
  command.addHelpText(
    'after',
    '\nThe exit code is 1 where something is damaged. Damaged files are named.' +
      '\nOf disks that a restore or a fork has kept, the first check notes what later ones are held against.',
  );
}

async function verify(
  cli: Cli,
  given: string,
  name: string | undefined,
  { all = false, full = false }: VerifyOptions,
): Promise<void> {
  if (all && name !== undefined) {
    throw new BerthError('bad_request', 'Name one snapshot, or all of them by --all.');
  }
  const client = await cli.engine();
  const volume = await snapshotsOf(client, given, cli.signal);
  const known =
    name === undefined
      ? await listOf(client, volume, cli.signal)
      : [await find(client, given, name, cli.signal)];
  if (known.length === 0) {
    throw new BerthError('not_found', `${given} has no snapshots.`);
  }
  const checks = await forEach(cli, all ? known : known.slice(0, 1), async (snapshot) => {
    const params = { volume: snapshot.volume, snapshot: snapshot.id };
    const begun = await client.call('snapshots.verify', { params, body: { full } });
    return { snapshot, check: resultOf(await follow(cli, client, begun), 'snapshot.verify') };
  });
  if (checks.some(({ check }) => check.damaged > 0)) {
    cli.exitCode = 1;
  }
  cli.result(
    checks.map(({ check }) => check),
    () => checks.map(({ snapshot, check }) => formatCheck(titleOf(snapshot), check, snapshot)).join('\n'),
  );
}

async function sidesOf(
  client: EngineClient,
  given: string,
  name: string,
  other: string | undefined,
  signal: AbortSignal,
): Promise<Sides> {
  const { id, volume } = await find(client, given, name, signal);
  const later = other === undefined ? volume : snapshotFilesOf((await find(client, given, other, signal)).id);
  return { before: { volume: snapshotFilesOf(id), path: '/' }, after: { volume: later, path: '/' } };
}

function registerChanges(snapshot: Command, cli: Cli): void {
  examples(
    snapshot
      .command('restore')
      .description('put a volume back as it was, after a question; what is there now is kept as a snapshot')
      .argument('<volume>', of)
      .argument('<snapshot>', which)
      .option('-y, --yes', 'do not ask; required without a terminal')
      .option('--no-keep', 'make no snapshot of what is there now: it is lost')
      .action((volume: string, name: string, options: RestoreOptions) => restore(cli, volume, name, options)),
    ['berth snapshot restore demo before-upgrade', ''],
  );
  examples(
    snapshot
      .command('delete')
      .description('delete snapshots, after a question')
      .argument('<volume>', of)
      .argument('<snapshot...>', which)
      .option('-y, --yes', 'do not ask; required without a terminal')
      .action((volume: string, names: string[], options: { yes?: boolean }) =>
        remove(cli, volume, names, options),
      ),
    ['berth snapshot delete demo before-upgrade', ''],
  );
}

async function create(cli: Cli, given: string, { name, description }: CreateOptions): Promise<void> {
  const client = await cli.engine();
  const volume = await volumeOf(client, given, cli.signal);
  const body: SnapshotCreate = {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
  };
  const operation = await client.call('snapshots.create', { params: { volume }, body });
  const made = resultOf(await follow(cli, client, operation), 'snapshot.create');
  const snapshot = await client.call('snapshots.get', { params: { volume, snapshot: made.snapshot } });
  if (snapshot.notes !== undefined) {
    cli.exitCode = 1;
  }
  cli.result(snapshot, () => `Snapshot ${titleOf(snapshot)} of ${volume} is made: ${sizeOf(snapshot)}.`);
}

async function listAll(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const snapshots = await client.call('snapshots.listAll', { signal: cli.signal });
  cli.result(snapshots, () => formatAllSnapshots(snapshots, Date.now()));
}

async function list(cli: Cli, given: string): Promise<void> {
  const client = await cli.engine();
  const volume = await snapshotsOf(client, given, cli.signal);
  const snapshots = await listOf(client, volume, cli.signal);
  if (snapshots.length === 0) {
    // Says so where there is no such volume either.
    await client.call('volumes.get', { params: { volume }, signal: cli.signal });
  }
  cli.result(snapshots, () => formatSnapshots(snapshots, volume, Date.now()));
}

async function show(cli: Cli, given: string, name: string): Promise<void> {
  const client = await cli.engine();
  const snapshot = await find(client, given, name, cli.signal);
  cli.result(snapshot, () => formatSnapshot(snapshot, Date.now()));
}

async function restore(cli: Cli, given: string, name: string, options: RestoreOptions): Promise<void> {
  const client = await cli.engine();
  const { volume, ...snapshot } = await find(client, given, name, cli.signal);
  const then = formatDate(Date.parse(snapshot.createdAt));
  const fate = options.keep ? 'is kept as a snapshot, which undoes it' : 'is lost';
  const explanation = `All files of ${volume} become what they were at ${then}. What is there now ${fate}.`;
  await cli.consent(options.yes, explanation, `Restore ${volume}?`);
  const operation = await client.call('snapshots.restore', {
    params: { volume, snapshot: snapshot.id },
    body: { keep: options.keep },
  });
  const ended = await follow(cli, client, operation);
  const { before: undo } = resultOf(ended, 'snapshot.restore');
  if (ended.warnings.length > 0) {
    cli.exitCode = 1;
  }
  cli.result(ended.result, () =>
    undo !== undefined
      ? `${volume} is as it was at ${then}. To undo: berth snapshot restore ${given} ${undo}`
      : `${volume} is as it was at ${then}.`,
  );
}

async function remove(cli: Cli, given: string, names: string[], options: { yes?: boolean }): Promise<void> {
  const client = await cli.engine();
  const found = await forEach(cli, names, (name) => find(client, given, name, cli.signal));
  const lines = found.map((snapshot) => `${titleOf(snapshot)}, ${sizeOf(snapshot)}`);
  await cli.consent(options.yes, `Snapshots of ${given}:\n  ${lines.join('\n  ')}`, 'Delete?');
  const deleted = await forEach(cli, found, async ({ id, volume }) => {
    await client.call('snapshots.delete', { params: { volume, snapshot: id } });
    return { id, volume, deleted: true };
  });
  cli.result(deleted, () => deleted.map(({ id }) => `Snapshot ${id} is deleted.`).join('\n'));
}

async function find(
  client: EngineClient,
  given: string,
  snapshot: string,
  signal: AbortSignal,
): Promise<Snapshot> {
  return snapshotOf(client, await snapshotsOf(client, given, signal), snapshot, signal);
}

function titleOf({ name, id }: Snapshot): string {
  return name ?? id;
}

function sizeOf({ usedBytes, isShared }: Snapshot): string {
  return formatBytes(usedBytes) + (isShared ? ' of files, shared with the volume' : ' of files');
}
