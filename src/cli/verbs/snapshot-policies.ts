import type { Command } from 'commander';
import type { Snapshot } from '../../api';
import { resultOf } from '../../api/rules/results';
import type { KeepPolicy, PruneResult } from '../../api/snapshots/schemas';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { formatTable } from '../format/table';
import { formatAgo } from '../format/time';
import { examples } from '../help';
import { follow } from '../operation';
import { listOf, snapshotOf, snapshotsOf } from '../snapshot-names';
import { addKeepOptions, keepOf, type KeepOptions } from './keep-options';

interface PruneOptions extends KeepOptions {
  dryRun?: boolean;
  yes?: boolean;
}

const of = 'a volume, or a workspace, for its home';
const which = 'its id or its name';

/** `snapshot protect|unprotect|prune`. */
export function registerSnapshotPolicies(snapshot: Command, cli: Cli): void {
  examples(
    snapshot
      .command('protect')
      .description('refuse to delete a snapshot until it is unprotected')
      .argument('<volume>', of)
      .argument('<snapshot>', which)
      .action((volume: string, name: string) => protect(cli, volume, name, true)),
    ['berth snapshot protect demo before-upgrade', ''],
  );
  examples(
    snapshot
      .command('unprotect')
      .description('let it be deleted again')
      .argument('<volume>', of)
      .argument('<snapshot>', which)
      .action((volume: string, name: string) => protect(cli, volume, name, false)),
    ['berth snapshot unprotect demo before-upgrade', ''],
  );
  const prune = snapshot
    .command('prune')
    .description(
      'delete snapshots that no rule keeps, after a question; those with a name and protected ones stay',
    )
    .argument('<volume>', of);
  addKeepOptions(prune);
  examples(
    prune
      .option('-n, --dry-run', 'only show what would go, and why the others stay')
      .option('-y, --yes', 'do not ask; required without a terminal')
      .action((volume: string, options: PruneOptions) => thin(cli, volume, options)),
    ['berth snapshot prune demo --keep-last 3 --keep-daily 7 --dry-run', ''],
    ['berth snapshot prune demo --keep-within 48h --keep-weekly 8', ''],
  );
}

async function protect(cli: Cli, given: string, name: string, isProtected: boolean): Promise<void> {
  const client = await cli.engine();
  const volume = await snapshotsOf(client, given, cli.signal);
  const found = await snapshotOf(client, volume, name, cli.signal);
  const params = { volume: found.volume, snapshot: found.id };
  const changed = await client.call('snapshots.update', { params, body: { protected: isProtected } });
  const title = changed.name ?? changed.id;
  cli.result(changed, () => `Snapshot ${title} is ${isProtected ? 'protected' : 'no longer protected'}.`);
}

async function thin(cli: Cli, given: string, options: PruneOptions): Promise<void> {
  const { dryRun = false, yes } = options;
  const policy = keepOf(options) ?? {};
  const client = await cli.engine();
  const volume = await snapshotsOf(client, given, cli.signal);
  const all = await listOf(client, volume, cli.signal);
  const foreseen = await prune(cli, client, volume, policy, true);
  if (dryRun || foreseen.removed.length === 0) {
    cli.result(foreseen, () => `${tableOf(all, foreseen)}\n${sumOf(foreseen, 'would go')}`);
    return;
  }
  await cli.consent(yes, tableOf(all, foreseen), `Delete ${countOf(foreseen.removed.length)} of ${volume}?`);
  const done = await prune(cli, client, volume, policy, false);
  if (done.failed.length > 0) {
    cli.exitCode = 1;
  }
  cli.result(done, () => sumOf(done, done.removed.length === 1 ? 'is deleted' : 'are deleted'));
}

async function prune(
  cli: Cli,
  client: EngineClient,
  volume: string,
  policy: KeepPolicy,
  dryRun: boolean,
): Promise<PruneResult> {
  const begun = await client.call('snapshots.prune', { params: { volume }, body: { ...policy, dryRun } });
  return resultOf(await follow(cli, client, begun), 'snapshot.prune');
}

function tableOf(all: readonly Snapshot[], { kept, removed }: PruneResult): string {
  const reasons = new Map(kept.map((each) => [each.snapshot, each.reasons.join(', ')]));
  const shown = all.filter(({ id }) => reasons.has(id) || removed.includes(id));
  return formatTable(
    [{ title: 'ID' }, { title: 'NAME' }, { title: 'MADE' }, { title: 'FATE' }],
    shown.map(({ id, name, createdAt }) => [
      ...[id, name ?? '-', formatAgo(createdAt, Date.now())],
      reasons.has(id) ? `stays: ${reasons.get(id)}` : 'goes',
    ]),
  );
}

const countOf = (count: number): string => (count === 1 ? '1 snapshot' : `${count} snapshots`);

function sumOf({ kept, removed, failed }: PruneResult, fate: string): string {
  const left = failed.length === 0 ? '' : ` ${countOf(failed.length)} could not be deleted.`;
  return `${countOf(removed.length)} ${fate}, ${kept.length} stay.${left}`;
}
