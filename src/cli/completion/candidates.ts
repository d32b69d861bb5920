/** What could come next on a command line: commands, options, names. */
import type { Command } from 'commander';

export interface KnownNames {
  workspaces: readonly string[];
  volumes: readonly string[];
}

/** Commands whose arguments are paths: `NAME:` is offered, and the shell adds files. */
const pathCommands = new Set(['cp', 'ls', 'cat', 'rm', 'mv', 'mkdir', 'find', 'diff']);

/** Candidates for the last word; the words before it say where it stands. */
export function candidates(program: Command, words: readonly string[], known: KnownNames): string[] {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  if (before.includes('--')) {
    return [];
  }
  const command = descend(program, before);
  const offered = current.startsWith('-') ? optionsOf(program, command) : namesFor(command, known);
  return [...new Set(offered)].filter((candidate) => candidate.startsWith(current)).sort();
}

function descend(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    command = find(command, word) ?? command;
  }
  return command;
}

function find(command: Command, word: string): Command | undefined {
  return command.commands.find((each) => each.name() === word || each.aliases().includes(word));
}

function optionsOf(program: Command, command: Command): string[] {
  const options = [...command.options, ...program.options].filter((option) => !option.hidden);
  return [
    '--help',
    ...options.flatMap((option) => [option.long, option.short]).filter((flag) => typeof flag === 'string'),
  ];
}

function namesFor(command: Command, known: KnownNames): string[] {
  if (command.commands.length > 0) {
    return command.commands.map((each) => each.name()).filter((name) => !name.startsWith('_'));
  }
  const argument = command.registeredArguments[0];
  if (pathCommands.has(command.name())) {
    return [...known.workspaces.map((name) => `${name}:`), ...known.volumes.map((name) => `volume:${name}:`)];
  }
  if (argument?.argChoices !== undefined) {
    return [...argument.argChoices];
  }
  if (argument?.name() !== 'name' || command.name() === 'create') {
    return [];
  }
  return [...(command.parent?.name() === 'volume' ? known.volumes : known.workspaces)];
}
