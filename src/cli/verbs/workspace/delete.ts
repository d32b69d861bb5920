import type { Command } from 'commander';
import type { Volume, Workspace } from '../../../api';
import { resultOf } from '../../../api/rules/results';
import { ownVolumesOf } from '../../../api/workspaces/own-volumes';
import type { EngineClient } from '../../../client/engine-client';
import type { Cli } from '../../cli';
import { formatTable } from '../../format/table';
import { printable } from '../../format/text';
import { examples } from '../../help';
import { followEach } from '../../operation';
import { usedOf } from '../../volumes';
import { keptWords } from '../trash';

interface DeleteOptions {
  yes?: boolean;
  keepVolumes?: boolean;
  forget?: boolean;
  now?: boolean;
}

/** `berth delete`. */
export function registerDelete(program: Command, cli: Cli): void {
  examples(
    program
      .command('delete')
      .description(
        'delete workspaces with their home volumes, after a question; they can be had back for a while, named volumes stay',
      )
      .argument('<name...>')
      .option('-y, --yes', 'do not ask; required without a terminal')
      .option('--keep-volumes', 'delete the record and the runtime only')
      .option('--now', 'for good: nothing is kept in the trash')
      .option('--forget', 'delete the record only, while the container engine is out of reach')
      .action((names: string[], options: DeleteOptions) => remove(cli, names, options)),
    ['berth delete demo', 'shows what will be removed, with sizes, and asks'],
    ['berth delete demo --yes', ''],
  );
}

async function remove(cli: Cli, names: string[], options: DeleteOptions): Promise<void> {
  const client = await cli.engine();
  if (options.yes !== true && cli.isInteractive) {
    const losses = await Promise.all(names.map((name) => lossOf(client, name, cli.signal)));
    await cli.consent(false, explain(losses, options), options.forget === true ? 'Forget?' : 'Delete?');
  } else {
    if (options.yes !== true) {
      // Consent to what is not there would help nobody.
      await Promise.all(
        names.map((name) => client.call('workspaces.get', { params: { name }, signal: cli.signal })),
      );
    }
    await cli.consent(options.yes, '', `Delete ${names.join(', ')}?`);
  }
  const deleted = await followEach(
    cli,
    names,
    (name) =>
      client.call('workspaces.delete', {
        params: { name },
        query: {
          ...(options.keepVolumes === true && { keepVolumes: true }),
          ...(options.forget === true && { forget: true }),
          ...(options.now === true && { now: true }),
        },
      }),
    async (_, name, ended) => {
      const { trash } = resultOf(ended, 'workspace.delete');
      const kept = await keptWords(client, trash);
      return { answer: { name, deleted: true, ...(trash !== undefined && { trash }) }, kept };
    },
  );
  const done = options.forget === true ? 'is forgotten' : 'is deleted';
  cli.result(
    deleted.map(({ answer }) => answer),
    () => deleted.flatMap(({ answer, kept }) => [`${answer.name} ${done}.`, kept ?? []].flat()).join('\n'),
  );
}

interface Loss {
  workspace: Workspace;
  volumes: Volume[];
}

async function lossOf(client: EngineClient, name: string, signal: AbortSignal): Promise<Loss> {
  const workspace = await client.call('workspaces.get', { params: { name }, signal });
  const volumes = await Promise.all(
    ownVolumesOf(workspace).map((volume) =>
      client
        .call('volumes.get', { params: { volume }, query: { usage: true }, signal })
        .catch((): Volume | undefined => undefined),
    ),
  );
  return { workspace, volumes: volumes.filter((volume) => volume !== undefined) };
}

/** What goes and what stays, for the question. */
export function explain(losses: readonly Loss[], { keepVolumes, forget, now }: DeleteOptions): string {
  const rows = losses.flatMap(({ workspace, volumes }) => [
    [workspace.name, `workspace, ${workspace.state}`, ''],
    ...(forget === true ? [[`  ${workspace.runtimeName}`, `${workspace.spec.runtime}, stays`, '']] : []),
    ...volumes.map((volume) => [
      `  ${volume.name}`,
      keepVolumes === true || forget === true ? 'volume, stays' : 'volume with all its files',
      usedOf(volume) ?? 'size unknown',
    ]),
  ]);
  const staying = losses.flatMap(({ workspace }) =>
    (workspace.spec.mounts ?? []).filter(({ kind }) => kind === 'volume').map(({ source }) => source),
  );
  const table = formatTable([{ title: 'DELETES' }, { title: '' }, { title: '', right: true }], rows);
  const isAllKeptOrLost = keepVolumes === true || forget === true || now === true;
  const lost = losses.some(
    ({ workspace: { dockerVolume, spec } }) => dockerVolume !== undefined && spec.runtime === 'container',
  );
  return [
    table,
    ...(staying.length === 0 ? [] : [`Stays: ${printable([...new Set(staying)].join(', '))}`]),
    ...(lost && !isAllKeptOrLost
      ? ['Not kept in the trash: images, containers and volumes of the Docker inside.']
      : []),
  ].join('\n');
}
