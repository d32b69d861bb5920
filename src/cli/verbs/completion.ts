import { Argument, type Command } from 'commander';
import { EngineClient } from '../../client/engine-client';
import { socketPath } from '../../client/endpoint';
import type { Cli } from '../cli';
import { candidates, type KnownNames } from '../completion/candidates';
import { completionScript, shells, type Shell } from '../completion/scripts';
import { examples } from '../help';

const answerWithinMs = 1000;

/** `completion`, and the hidden `__complete` that the shells call. */
export function registerCompletion(program: Command, cli: Cli): void {
  examples(
    program
      .command('completion')
      .description('print a completion script for a shell')
      .addArgument(new Argument('<shell>').choices(shells))
      .action((shell: Shell) => cli.print(completionScript(shell))),
    ['source <(berth completion bash)', 'in ~/.bashrc; zsh: in ~/.zshrc'],
    ['berth completion fish | source', ''],
  );
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const found = candidates(program, words, await knownNames(cli));
      if (found.length > 0) {
        cli.print(found.join('\n'));
      }
    });
}

/** Names from a running engine; none when there is none: a Tab starts nothing and never waits long. */
async function knownNames(cli: Cli): Promise<KnownNames> {
  const client = new EngineClient(socketPath(cli.home));
  const signal = AbortSignal.timeout(answerWithinMs);
  try {
    const [workspaces, volumes] = await Promise.all([
      client.call('workspaces.list', { signal }),
      client.call('volumes.list', { signal }),
    ]);
    return {
      workspaces: workspaces.map((workspace) => workspace.name),
      volumes: volumes.map((volume) => volume.name),
    };
  } catch {
    return { workspaces: [], volumes: [] };
  } finally {
    client.dispose();
  }
}
