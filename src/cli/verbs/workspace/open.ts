import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Command } from 'commander';
import { BerthError, type SshTarget } from '../../../api';
import { runInTerminal } from '../../child';
import type { Cli } from '../../cli';
import { examples } from '../../help';
import { ensureRunning } from '../../ready';

const editors = ['code', 'cursor', 'windsurf', 'codium', 'code-insiders'];

/** `berth open`. */
export function registerOpen(program: Command, cli: Cli): void {
  examples(
    program
      .command('open')
      .description('open a workspace in VS Code over SSH, starting it when it does not run')
      .argument('<name>')
      .option('--editor <program>', `instead of the first of ${editors.join(', ')}`)
      .option('--print', 'print the command and the address, open nothing')
      .action((name: string, options: { editor?: string; print?: boolean }) => open(cli, name, options)),
    ['berth open demo', ''],
    ['berth open demo --editor cursor', ''],
  );
}

async function open(cli: Cli, name: string, options: { editor?: string; print?: boolean }): Promise<void> {
  const client = await cli.engine();
  await ensureRunning(cli, client, name);
  const target = await client.call('workspaces.ssh', { params: { name }, signal: cli.signal });
  const editor = options.editor ?? findProgram(editors, cli.env);
  const argv = openCommand(editor ?? 'code', target);
  const address = `vscode-remote://ssh-remote+${target.alias}${target.folder}`;
  if (options.print === true || cli.json || editor === undefined) {
    cli.result({ argv, address, folder: target.folder, alias: target.alias }, () =>
      [...(editor === undefined ? ['No editor found here. With one:'] : []), argv.join(' '), address].join(
        '\n',
      ),
    );
    return;
  }
  const config = await client.call('ssh.config', { signal: cli.signal });
  if (!config.included) {
    throw new BerthError('illegal_state', `${config.userConfig} does not include the config of Berth.`, {
      hint: 'Remote-SSH reads that file: `berth ssh-config --install` adds one line to it.',
    });
  }
  cli.exitCode = await runInTerminal(cli, argv, 'Give another one with --editor.');
}

/** The argv that opens a workspace's folder in an editor of the VS Code family. */
export function openCommand(editor: string, target: Pick<SshTarget, 'alias' | 'folder'>): string[] {
  return [editor, '--remote', `ssh-remote+${target.alias}`, target.folder];
}

/** The path of the first of the programs that PATH has. */
export function findProgram(
  programs: readonly string[],
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const suffixes = platform === 'win32' ? ['.cmd', '.exe'] : [''];
  const paths = programs.flatMap((program) =>
    folders.flatMap((folder) => suffixes.map((suffix) => join(folder, program + suffix))),
  );
  return paths.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
