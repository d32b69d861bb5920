import type { Command } from 'commander';
import type { Operation } from '../../../api';
import type { EngineClient } from '../../../client/engine-client';
import type { Cli } from '../../cli';
import { examples } from '../../help';
import { followEach } from '../../operation';

type Verb = 'start' | 'stop' | 'restart' | 'pause' | 'resume' | 'archive' | 'restore' | 'recover';

const verbs: Record<Verb, string> = {
  start: 'start workspaces',
  stop: 'stop workspaces: 10 s of grace, then kill; no data is removed',
  restart: 'stop and start workspaces',
  pause: 'freeze all processes of workspaces',
  resume: 'go on after a pause',
  archive: 'set workspaces aside: nothing of them runs, all their files stay',
  restore: 'start archived workspaces again',
  recover: 'start workspaces after an error, with new runtimes where there are none',
};

/** `start`, `stop`, `restart`, `pause`, `resume`, `archive`, `restore`, `recover`. */
export function registerLifecycle(program: Command, cli: Cli): void {
  for (const [verb, description] of Object.entries(verbs) as [Verb, string][]) {
    const command = program.command(verb).description(description).argument('<name...>');
    if (isStarting(verb)) {
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

const startingVerbs = ['start', 'restart', 'restore', 'recover'] as const;

function isStarting(verb: Verb): verb is (typeof startingVerbs)[number] {
  return startingVerbs.some((each) => each === verb);
}

async function lifecycle(cli: Cli, verb: Verb, names: string[], options: Options): Promise<void> {
  const client = await cli.engine();
  const changed = await followEach(
    cli,
    names,
    (name) => begin(client, verb, name, options),
    (_, name) => client.call('workspaces.get', { params: { name } }),
  );
  cli.result(changed, () => changed.map(({ name, state }) => `${name} is ${state}.`).join('\n'));
}

function begin(client: EngineClient, verb: Verb, name: string, options: Options): Promise<Operation> {
  if (isStarting(verb) && options.acceptEmpty === true) {
    return client.call(`workspaces.${verb}`, { params: { name }, query: { acceptEmpty: true } });
  }
  return client.call(`workspaces.${verb}`, { params: { name } });
}
