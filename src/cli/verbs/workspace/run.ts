import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import type { EngineClient } from '../../../client/engine-client';
import { holdLease } from '../../../client/lease';
import {
  asBerthError,
  BerthError,
  type NetworkMode,
  type PublishedPort,
  type RuntimeKind,
} from '../../../api';
import type { Cli } from '../../cli';
import { formatFailure } from '../../failure';
import { shellName } from '../../format/text';
import { examples } from '../../help';
import { parseOutputs, type Rescue } from '../../outputs';
import { follow } from '../../operation';
import {
  collect,
  collectEnv,
  collectPorts,
  networkHelp,
  parseDuration,
  parseNetwork,
  parseRuntime,
} from '../../parse/options';
import { absoluteImage, absoluteMount } from '../../parse/sources';
import { exec, type ExecOptions } from './exec';

const deleteTimeoutMs = 120_000;

interface RunOptions extends ExecOptions {
  image?: string;
  runtime?: RuntimeKind;
  engine?: RuntimeKind;
  volume?: string[];
  network?: NetworkMode;
  publish?: PublishedPort[];
  expose?: PublishedPort[];
}

/** `berth run`. */
export function registerRun(program: Command, cli: Cli): void {
  const command = program
    .command('run')
    .description('run one command in a workspace of its own, which is deleted afterwards')
    .argument('<command...>', 'after `--`; an image may stand before it')
    .option('--image <image>', 'an OCI image (default: workspace:latest)')
    .option('--env <K=V>', 'set a variable (repeatable)', collectEnv)
    .option('-v, --volume <SRC:DST[:ro|rw]>', 'a volume, disk or bundle, which stays (repeatable)', collect)
    .option('--output <LOCAL=PATH>', 'copy PATH to this machine at the end (repeatable)', collect)
    .option('--runtime <kind>', 'container or microvm', parseRuntime)
    .addOption(new Option('--engine <kind>', 'the same as --runtime').argParser(parseRuntime).hideHelp())
    .option('--network <mode>', networkHelp, parseNetwork)
    .option(
      '-p, --publish <[HOST:]PORT>',
      'reach a port inside on 127.0.0.1 of this machine while it runs (repeatable)',
      collectPorts,
    )
    .addOption(new Option('--expose <port>', 'the same as --publish').argParser(collectPorts).hideHelp())
    .option('-n, --no-stdin', 'pass no standard input: for loops that read theirs')
    .option('--timeout <time>', 'end the command after 90s, 5m or 1h, with exit code 124', parseDuration)
    .option('-t, --tty', 'allocate a terminal (default: when berth runs in one)')
    .option('--no-tty', 'allocate no terminal')
    .action((argv: string[], options: RunOptions) => run(cli, argv, options));
  examples(
    command,
    ['berth run debian:12 -- cat /etc/os-release', 'the same as with --image debian:12'],
    ['berth run -v src.tar:/src:ro --output out=/home/workspace/out -- make -C /src', 'also when it fails'],
  );
}

/** `IMAGE -- COMMAND`: the image is what stands before the `--`. Throws `bad_request` for two images, or no command. */
export function splitImage(
  words: readonly string[],
  afterDashes: number | undefined,
  given: string | undefined,
): { argv: string[]; image: string | undefined } {
  const before = afterDashes === undefined ? 0 : words.length - afterDashes;
  const [image = given] = words.slice(0, before);
  if (before > 1 || (before === 1 && given !== undefined)) {
    throw new BerthError('bad_request', 'Only one image can be given before `--`.', {
      hint: 'E.g. `berth run debian:12 -- cat /etc/os-release`.',
    });
  }
  if (before === words.length) {
    throw new BerthError('bad_request', 'There is no command after `--`.');
  }
  return { argv: words.slice(before), image };
}

async function run(cli: Cli, words: string[], options: RunOptions): Promise<void> {
  const { argv, image } = splitImage(words, cli.wordsAfterDashes, options.image);
  const ports = [...(options.publish ?? []), ...(options.expose ?? [])];
  const name = `run-${randomBytes(4).toString('hex')}`;
  const client = await cli.engine();
  const runtime = options.runtime ?? options.engine;
  const body = {
    name,
    temporary: true,
    ...(image !== undefined && { image: absoluteImage(image, cli.cwd) }),
    ...(runtime !== undefined && { runtime }),
    ...(options.volume !== undefined && {
      volumes: options.volume.map((volume) => absoluteMount(volume, cli.cwd)),
    }),
    ...(options.network !== undefined && { network: options.network }),
    ...(ports.length > 0 && { ports }),
  };
  await parseOutputs(cli, options.output ?? [], options.volume);
  // Whatever becomes of this process, the engine sees that it is gone, and deletes the workspace.
  const lease: { dispose(): void }[] = [];
  const kept = new KeptForOutputs(cli, name);
  try {
    const creation = await client.call('workspaces.create', { body });
    lease.push(holdLease(client, name));
    await follow(cli, client, creation);
    await exec(cli, name, argv, options, kept.rescue);
  } finally {
    await (kept.isKept || forget(cli, client, name));
    lease.forEach((each) => each.dispose());
  }
}

/** A workspace with outputs that were not copied stays, unless the user has ended the run. */
class KeptForOutputs {
  private keeping: Promise<BerthError | undefined> | undefined;
  isKept = false;

  constructor(
    private readonly cli: Cli,
    private readonly name: string,
  ) {}

  readonly rescue: Rescue = async ({ path, local }) => {
    if (this.cli.signal.aborted) {
      return undefined;
    }
    this.keeping ??= this.keep();
    const failure = await this.keeping;
    const from = shellName(`${this.name}:${path}`);
    return failure === undefined
      ? `The workspace ${this.name} is kept for it: \`berth cp ${from} ${shellName(local)}\` when nothing is in the way any more, then \`berth delete ${this.name}\`.`
      : `The workspace ${this.name} could not be kept for it: ${failure.message}`;
  };

  private async keep(): Promise<BerthError | undefined> {
    try {
      const client = await this.cli.engine();
      await client.call('workspaces.update', { params: { name: this.name }, body: { temporary: false } });
      this.isKept = true;
      return undefined;
    } catch (error) {
      return asBerthError(error);
    }
  }
}

/** At once, so that the workspace is gone when this has ended; a create that failed has left nothing. */
async function forget(cli: Cli, client: EngineClient, name: string): Promise<void> {
  try {
    const workspaces = await client.call('workspaces.list', {});
    if (workspaces.some((workspace) => workspace.name === name)) {
      const begun = await client.call('workspaces.delete', { params: { name }, query: { now: true } });
      await client.waitFor(begun, AbortSignal.timeout(deleteTimeoutMs));
    }
  } catch (error) {
    cli.note(`The workspace ${name} is not deleted yet. The engine does it soon, or when it runs again.`);
    cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle));
  }
}
