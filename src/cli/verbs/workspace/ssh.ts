import type { Command } from 'commander';
import type { SshConfigStatus } from '../../../api';
import { runInTerminal } from '../../child';
import type { Cli } from '../../cli';
import { formatFields } from '../../format/table';
import { examples } from '../../help';
import { localPath } from '../../parse/sources';
import { ensureRunning } from '../../ready';

/** `ssh`, `ssh-config`. */
export function registerSsh(program: Command, cli: Cli): void {
  examples(
    program
      .command('ssh')
      .description('log in with OpenSSH, starting the workspace when it does not run')
      .argument('<name>')
      .argument('[command...]', 'after `--`: options and command for ssh, as ssh takes them after the host')
      .action((name: string, command: string[]) => ssh(cli, name, command)),
    ['berth ssh demo', 'a shell'],
    ['berth ssh demo -- make test', 'passes the exit code of the command'],
  );
  examples(
    program
      .command('ssh-config')
      .description("show the generated ssh config, and whether the user's own includes it")
      .option('--install', "add one Include line to the user's ssh config")
      .option('--user-config <path>', 'instead of ~/.ssh/config')
      .action((options: { install?: boolean; userConfig?: string }) => sshConfig(cli, options)),
    ['berth ssh-config --install', 'then `ssh berth-demo`, scp, rsync, git and Remote-SSH work'],
  );
}

async function ssh(cli: Cli, name: string, command: readonly string[]): Promise<void> {
  const client = await cli.engine();
  await ensureRunning(cli, client, name);
  const target = await client.call('workspaces.ssh', { params: { name }, signal: cli.signal });
  if (cli.json && command.length === 0) {
    cli.result(target, () => '');
    return;
  }
  const argv = ['ssh', '-F', target.configFile, target.alias, ...command];
  cli.exitCode = await runInTerminal(
    cli,
    argv,
    'Install the OpenSSH client, e.g. `apt install openssh-client`.',
  );
}

async function sshConfig(cli: Cli, options: { install?: boolean; userConfig?: string }): Promise<void> {
  const client = await cli.engine();
  const file = options.userConfig === undefined ? {} : { userConfig: localPath(options.userConfig, cli.cwd) };
  const status =
    options.install === true
      ? await client.call('ssh.include', { body: file })
      : await client.call('ssh.config', { query: file, signal: cli.signal });
  cli.result(status, () => formatStatus(status));
}

function formatStatus(status: SshConfigStatus): string {
  return formatFields([
    ['ours', status.configFile],
    ['yours', status.userConfig],
    ['included', inWords(status)],
  ]);
}

function inWords({ included, problem }: SshConfigStatus): string {
  if (included) {
    return 'yes';
  }
  return problem === undefined
    ? 'no: `berth ssh-config --install` adds one line to yours'
    : `without effect: ${problem} Look at the lines around its Include, and at other files that it includes.`;
}
