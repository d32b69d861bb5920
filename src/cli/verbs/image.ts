import { Option, type Command } from 'commander';
import type { Image, RuntimeKind } from '../../api';
import type { Cli } from '../cli';
import { formatBytes } from '../../api/rules/sizes';
import { formatTable } from '../format/table';
import { formatAgo } from '../format/time';
import { examples } from '../help';
import { follow } from '../operation';
import { parseRuntime } from '../parse/options';
import { localPath } from '../parse/sources';

/** `image build|pull|push|save|remove|list`. */
export function registerImage(program: Command, cli: Cli): void {
  const image = program.command('image').description('build, pull, push, save, remove and list images');
  examples(
    image
      .command('build')
      .description('build workspace:latest and the tools that every workspace needs')
      .option('--no-cache', 'build every layer again')
      .option('--tools-only', 'only the tools')
      .option('--runtime <kind>', 'container or microvm', parseRuntime)
      .addOption(alsoEngine())
      .action((options: BuildOptions) => build(cli, options)),
    ['berth image build', 'needed once'],
    ['berth image build --runtime microvm', 'the guest of microVMs'],
  );
  examples(
    image
      .command('pull')
      .description('pull an image from its registry')
      .argument('<image>')
      .option('--runtime <kind>', 'container or microvm', parseRuntime)
      .addOption(alsoEngine())
      .action((name: string, options: RuntimeOptions) => pull(cli, name, options)),
    ['berth image pull debian:12', ''],
    ['berth image pull debian:12 --runtime microvm', 'also where there is no Docker and no Podman'],
  );
  registerHanding(image, cli);
  examples(
    image
      .command('list')
      .description('list images')
      .action(() => list(cli)),
    ['berth image list', ''],
  );
}

interface RuntimeOptions {
  runtime?: RuntimeKind;
  engine?: RuntimeKind;
}

interface BuildOptions extends RuntimeOptions {
  cache: boolean;
  toolsOnly?: boolean;
}

/** The name that this option had first. */
function alsoEngine(): Option {
  return new Option('--engine <kind>', 'the same as --runtime').argParser(parseRuntime).hideHelp();
}

async function build(cli: Cli, options: BuildOptions): Promise<void> {
  const client = await cli.engine();
  const runtime = options.runtime ?? options.engine;
  const begun = await client.call('images.build', {
    body: {
      ...(!options.cache && { noCache: true }),
      ...(options.toolsOnly === true && { toolsOnly: true }),
      ...(runtime !== undefined && { runtime }),
    },
  });
  const ended = await follow(cli, client, begun);
  cli.result(ended, () => '');
}

/** What is done with images that are here. */
function registerHanding(image: Command, cli: Cli): void {
  examples(
    image
      .command('push')
      .description('push an image to the registry that its name says')
      .argument('<image>')
      .action((name: string) => push(cli, name)),
    ['berth image push registry.example/tools:1', 'with what `docker login` left'],
  );
  examples(
    image
      .command('save')
      .description('write an image to a new file: a tar that `docker load` takes')
      .argument('<image>')
      .argument('<file>')
      .action((name: string, file: string) => save(cli, name, file)),
    ['berth image save tools:1 tools.tar', 'then, elsewhere: docker load -i tools.tar'],
  );
  examples(
    image
      .command('remove')
      .description('remove an image that no workspace is made of')
      .argument('<image>')
      .action((name: string) => remove(cli, name)),
    ['berth image remove tools:1', ''],
  );
}

async function pull(cli: Cli, image: string, options: RuntimeOptions): Promise<void> {
  const runtime = options.runtime ?? options.engine;
  const client = await cli.engine();
  const body = { image, ...(runtime !== undefined && { runtime }) };
  const ended = await follow(cli, client, await client.call('images.pull', { body }));
  cli.result(ended, () => '');
}

async function push(cli: Cli, image: string): Promise<void> {
  const client = await cli.engine();
  const ended = await follow(cli, client, await client.call('images.push', { body: { image } }));
  cli.result(ended, () => '');
}

async function save(cli: Cli, image: string, file: string): Promise<void> {
  const client = await cli.engine();
  const body = { image, path: localPath(file, cli.cwd) };
  const ended = await follow(cli, client, await client.call('images.save', { body }));
  cli.result(ended, () => '');
}

async function remove(cli: Cli, image: string): Promise<void> {
  const client = await cli.engine();
  await client.call('images.remove', { body: { image } });
  cli.result({ removed: image }, () => '');
}

async function list(cli: Cli): Promise<void> {
  const client = await cli.engine();
  const images = await client.call('images.list', { signal: cli.signal });
  cli.result(images, () =>
    images.length === 0
      ? 'No images yet. Build the default one: berth image build'
      : formatImages(images, Date.now()),
  );
}

/** A table. `now` is in ms since 1970. */
export function formatImages(images: readonly Image[], now: number): string {
  return formatTable(
    [
      { title: 'IMAGE' },
      { title: 'ID' },
      { title: 'SIZE', right: true },
      { title: 'CREATED' },
      { title: 'USED BY' },
    ],
    images.map((image) => [
      image.tags.length === 0 ? '-' : image.tags.join(', '),
      image.id.replace(/^sha256:/, '').slice(0, 12),
      formatBytes(image.sizeBytes),
      formatAgo(image.createdAt, now),
      image.usedBy.length === 0 ? '-' : image.usedBy.join(', '),
    ]),
  );
}
