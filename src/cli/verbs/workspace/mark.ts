import type { Command } from 'commander';
import { BerthError } from '../../../api';
import { sortedTags } from '../../../api/rules/names';
import type { Cli } from '../../cli';
import { forEach } from '../../operation';
import { examples } from '../../help';
import { collectTags } from '../../parse/options';

/** `tag`, `protect`, `unprotect`. */
export function registerMark(program: Command, cli: Cli): void {
  examples(
    program
      .command('tag')
      .description('show or change the tags by which a workspace is found')
      .argument('<name>')
      .option('--add <tag>', 'add a tag (repeatable)', collectTags)
      .option('--remove <tag>', 'take a tag away (repeatable)', collectTags)
      .action((name: string, options: TagOptions) => tag(cli, name, options)),
    ['berth tag api', 'show its tags'],
    ['berth tag api --add web --add work --remove old', ''],
    ['berth list --tag web', 'the workspaces that have it'],
  );
  examples(
    program
      .command('protect')
      .description('refuse to delete, rebuild or archive workspaces until they are unprotected')
      .argument('<name...>')
      .action((names: string[]) => protect(cli, names, true)),
    ['berth protect api', ''],
  );
  examples(
    program
      .command('unprotect')
      .description('take the protection of workspaces away')
      .argument('<name...>')
      .action((names: string[]) => protect(cli, names, false)),
    ['berth unprotect api', ''],
  );
}

interface TagOptions {
  add?: string[];
  remove?: string[];
}

async function tag(cli: Cli, name: string, { add = [], remove = [] }: TagOptions): Promise<void> {
  const client = await cli.engine();
  const before = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  const { tags = [] } = before;
  const missing = remove.find((each) => !tags.includes(each));
  if (missing !== undefined) {
    throw new BerthError('bad_request', `${name} has no tag ${missing}.`, {
      hint: tags.length === 0 ? 'It has none.' : `It has: ${tags.join(', ')}.`,
    });
  }
  const wanted = sortedTags([...tags.filter((each) => !remove.includes(each)), ...add]);
  const isChanged = add.length + remove.length > 0;
  const workspace = isChanged
    ? await client.call('workspaces.update', { params: { name }, body: { tags: wanted } })
    : before;
  cli.result(workspace, () => (workspace.tags ?? []).join('\n'));
}

async function protect(cli: Cli, names: string[], isProtected: boolean): Promise<void> {
  const client = await cli.engine();
  const body = { protected: isProtected };
  const changed = await forEach(cli, names, (name) =>
    client.call('workspaces.update', { params: { name }, body }),
  );
  cli.result(changed, () =>
    changed.map(({ name }) => `${name} is ${isProtected ? '' : 'no longer '}protected.`).join('\n'),
  );
}
