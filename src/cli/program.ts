/** The tree of commands, and how an invocation of it ends. */
import { Command } from 'commander';
import { BerthError } from '../api';
import type { Cli } from './cli';
import { registerAdopt } from './verbs/workspace/adopt';
import { registerChange } from './verbs/workspace/change';
import { registerCommit } from './verbs/workspace/commit';
import { registerExport } from './verbs/workspace/export';
import { registerFork } from './verbs/workspace/fork';
import { registerKeep } from './verbs/workspace/keep';
import { registerCompletion } from './verbs/completion';
import { registerCopy } from './verbs/cp';
import { registerCreate } from './verbs/workspace/create';
import { registerDelete } from './verbs/workspace/delete';
import { registerDiff } from './verbs/diff';
import { registerEngine } from './verbs/engine';
import { registerExec } from './verbs/workspace/exec';
import { registerFiles } from './verbs/files';
import { registerFind } from './verbs/find';
import { registerCache } from './verbs/cache';
import { registerImage } from './verbs/image';
import { registerLifecycle } from './verbs/workspace/lifecycle';
import { registerList } from './verbs/workspace/list';
import { registerLogs } from './verbs/workspace/logs';
import { registerMark } from './verbs/workspace/mark';
import { registerOpen } from './verbs/workspace/open';
import { registerOperations } from './verbs/operations';
import { registerPort } from './verbs/workspace/port';
import { registerRun } from './verbs/workspace/run';
import { registerSet } from './verbs/workspace/set';
import { registerSnapshot } from './verbs/snapshot';
import { registerSsh } from './verbs/workspace/ssh';
import { registerTrash } from './verbs/trash';
import { registerUsage } from './verbs/usage';
import { registerVolume } from './verbs/volume';
import { exitCodeOf, formatFailure } from './failure';
import { usageHint } from './usage-hint';

/** The whole program; its actions work on `cli`. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('berth')
    .description(
      'Persistent workspaces on your own machine: named computers whose files outlive the container or microVM that runs them.',
    )
    .version(cli.version, '-V, --version', 'show the version')
    .option('--json', 'machine output on stdout, errors as JSON on stderr')
    .helpOption('-h, --help', 'show help')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.streams.stdout.write(text),
      writeErr: (text) => cli.streams.stderr.write(text),
    })
    .hook('preAction', (root) => {
      cli.json = root.opts<{ json?: boolean }>().json === true;
    })
    .addHelpText(
      'after',
      '\nStart with:\n  $ berth create demo\n  $ berth ssh demo\n  $ berth cp notes.md demo:',
    );
  addCommands(program, cli);
  reportUsageOf(program, cli);
  return program;
}

/** Usage errors of each command, which its hint depends on. */
function reportUsageOf(command: Command, cli: Cli): void {
  command.configureOutput({ outputError: (text) => reportUsage(cli, command.name(), text) });
  command.commands.forEach((each) => {
    reportUsageOf(each, cli);
  });
}

function addCommands(program: Command, cli: Cli): void {
  program.commandsGroup('Workspaces:');
  registerCreate(program, cli);
  registerList(program, cli);
  registerLifecycle(program, cli);
  registerChange(program, cli);
  registerSet(program, cli);
  registerMark(program, cli);
  registerPort(program, cli);
  registerCommit(program, cli);
  registerFork(program, cli);
  registerKeep(program, cli);
  registerExport(program, cli);
  registerDelete(program, cli);
  registerAdopt(program, cli);
  program.commandsGroup('Inside:');
  registerOpen(program, cli);
  registerSsh(program, cli);
  registerExec(program, cli);
  registerRun(program, cli);
  registerLogs(program, cli);
  program.commandsGroup('Files:');
  registerCopy(program, cli);
  registerFiles(program, cli);
  registerFind(program, cli);
  registerDiff(program, cli);
  program.commandsGroup('Volumes and images:');
  registerVolume(program, cli);
  registerSnapshot(program, cli);
  registerTrash(program, cli);
  registerImage(program, cli);
  registerCache(program, cli);
  registerUsage(program, cli);
  program.commandsGroup('Engine:');
  registerEngine(program, cli);
  registerOperations(program, cli);
  registerCompletion(program, cli);
  program.helpCommand('help [command]', 'show help for a command');
}

/** Runs one invocation; answers the exit code. */
export async function run(argv: readonly string[], cli: Cli): Promise<number> {
  const split = argv.indexOf('--');
  cli.wordsAfterDashes = split < 0 ? undefined : argv.length - split - 1;
  cli.json = argv.slice(0, split < 0 ? argv.length : split).includes('--json');
  const program = buildProgram(cli);
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(withoutHelpOfNothing(argv, program), { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (!cli.interrupts.isUnread) {
      cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle));
    }
    return exitCodeOf(error);
  } finally {
    await cli.dispose();
  }
}

/** `help` of a command that there isn't is refused as that command would be, not answered with all there are. */
function withoutHelpOfNothing(argv: readonly string[], program: Command): readonly string[] {
  const [help, name = 'help'] = argv;
  const isOne =
    name === 'help' || name.startsWith('-') || program.commands.some((each) => each.name() === name);
  return help === 'help' && !isOne ? [name] : argv;
}

/** A usage error in the words of commander, in the form of all errors. */
function reportUsage(cli: Cli, command: string, text: string): void {
  const lines = text.trim().split('\n');
  const message = (lines[0] ?? '').replace(/^error: /, '');
  const suggestion = lines
    .slice(1)
    .join(' ')
    .replace(/^\((.*)\)$/, '$1');
  const error = new BerthError('bad_request', message, { hint: usageHint(command, message, suggestion) });
  cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle));
}
