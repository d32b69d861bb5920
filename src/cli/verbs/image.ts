import type { Command } from 'commander';
import type { Image, RuntimeKind } from '../../api';
import type { Cli } from '../cli';
import { formatBytes } from '../format/size';
import { formatTable } from '../format/table';
import { formatAgo } from '../format/time';
import { examples } from '../help';
import { follow } from '../operation';
import { parseRuntime } from '../parse/options';

/** `image build|pull|list`. */
export function registerImage(program: Command, cli: Cli): void {
  const image = program.command('image').description('build, pull and list images');
  examples(
    image
      .command('build')
      .description('build workspace:latest and the tools that every workspace needs')
      .option('--no-cache', 'build every layer again')
      .option('--tools-only', 'only the tools')
      .option('--engine <runtime>', 'container or microvm', parseRuntime)
      .action((options: BuildOptions) => build(cli, options)),
    ['berth image build', 'needed once'],
    ['berth image build --engine microvm', 'the guest of microVMs'],
  );
  examples(
    image
      .command('pull')
      .description('pull an image from its registry')
      .argument('<image>')
      .action((name: string) => pull(cli, name)),
    ['berth image pull debian:12', ''],
  );
  examples(
    image
      .command('list')
      .description('list images')
      .action(() => list(cli)),
    ['berth image list', ''],
  );
}

interface BuildOptions {
  cache: boolean;
  toolsOnly?: boolean;
  engine?: RuntimeKind;
}

async function build(cli: Cli, options: BuildOptions): Promise<void> {
  const client = await cli.engine();
  const begun = await client.call('images.build', {
    body: {
      ...(!options.cache && { noCache: true }),
      ...(options.toolsOnly === true && { toolsOnly: true }),
      ...(options.engine !== undefined && { runtime: options.engine }),
    },
  });
  const ended = await follow(cli, client, begun);
  cli.result(ended, () => '');
}

async function pull(cli: Cli, image: string): Promise<void> {
  const client = await cli.engine();
  const ended = await follow(cli, client, await client.call('images.pull', { body: { image } }));
  cli.result(ended, () => '');
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
