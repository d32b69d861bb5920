import type { Command } from 'commander';
import type { Cli } from '../../cli';
import { examples } from '../../help';
import { follow } from '../../operation';

/** `berth commit`. */
export function registerCommit(program: Command, cli: Cli): void {
  const command = program
    .command('commit')
    .description("make an image of a workspace's own files: all it has outside of its volumes")
    .argument('<name>')
    .argument('<image>', 'e.g. tools:1, or registry.example/group/tools:1')
    .action((name: string, image: string) => commit(cli, name, image));
  examples(
    command,
    ['berth commit demo tools:1', 'a container that runs is paused meanwhile; stop a microVM first'],
    ['berth create other --image tools:1', 'a workspace that begins with it'],
    ['berth image save tools:1 tools.tar', 'for `docker load` elsewhere'],
  );
}

async function commit(cli: Cli, name: string, image: string): Promise<void> {
  const client = await cli.engine();
  const begun = await client.call('workspaces.commit', { params: { name }, body: { image } });
  const ended = await follow(cli, client, begun);
  cli.result(ended, () => '');
}
