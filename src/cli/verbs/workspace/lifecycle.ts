import type { Command } from 'commander';
import type { Operation } from '../../../api';
import { plainVerbs, takesEmptyVolumes, transitions, type PlainVerb } from '../../../api/rules/lifecycle';
import type { EngineClient } from '../../../client/engine-client';
import type { Cli } from '../../cli';
import { examples } from '../../help';
import { followEach } from '../../operation';

/** All verbs that need nothing but names: `start`, `stop`, `restart`, `pause` … */
export function registerLifecycle(program: Command, cli: Cli): void {
  for (const verb of plainVerbs) {
    const command = program.command(verb).description(transitions[verb].help).argument('<name...>');
    if (takesEmptyVolumes(verb)) {
      command.option('--accept-empty', 'go on with new, empty volumes in place of those that are gone');
    }
    examples(
      command.action((names: string[], options: Options) => lifecycle(cli, verb, names, options)),
      [`berth ${verb} demo`, ''],
      [`berth ${verb} api web`, 'several at once'],
    );
  }
}

interface Options {
  acceptEmpty?: boolean;
}

async function lifecycle(cli: Cli, verb: PlainVerb, names: string[], options: Options): Promise<void> {
  const client = await cli.engine();
  const changed = await followEach(
    cli,
    names,
    (name) => begin(client, verb, name, options),
    (_, name) => client.call('workspaces.get', { params: { name } }),
  );
  cli.result(changed, () => changed.map(({ name, state }) => `${name} is ${state}.`).join('\n'));
}

function begin(client: EngineClient, verb: PlainVerb, name: string, options: Options): Promise<Operation> {
  if (takesEmptyVolumes(verb) && options.acceptEmpty === true) {
    return client.call(`workspaces.${verb}`, { params: { name }, query: { acceptEmpty: true } });
  }
  return client.call(`workspaces.${verb}`, { params: { name } });
}
