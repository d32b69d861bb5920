import type { Command } from 'commander';

/** Adds examples below a command's help: a line of explanation, a command, and so on. */
export function examples(command: Command, ...lines: readonly (readonly [string, string])[]): Command {
  const widest = Math.max(0, ...lines.filter(([, what]) => what !== '').map(([usage]) => usage.length));
  const text = lines.map(([usage, what]) => `  $ ${usage.padEnd(widest)}  ${what}`.trimEnd()).join('\n');
  return command.addHelpText('after', `\nExamples:\n${text}`);
}
