/** What hints and documents tell people to type is there: commands, and the options that are named with them. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { Cli } from '../../../src/cli/cli';
import { Interrupts } from '../../../src/cli/interrupts';
import { buildProgram } from '../../../src/cli/program';
import { createStreams } from './harness';

const root = resolve(__dirname, '../../../..');
const interrupts = new Interrupts(new EventEmitter(), { exit: () => undefined, die: () => undefined });
const program = buildProgram(
  new Cli({ streams: createStreams(), env: { BERTH_HOME: '/none' }, cwd: '/', version: '1', interrupts }),
);

function sources(): string[] {
  const found = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const code = found.filter((name) => name.endsWith('.ts')).map((name) => join('src', name));
  return [...code, 'README.md', 'SECURITY.md', 'package.json', 'package.nls.json'];
}

/** `berth …` in backticks, which are escaped in templates. */
function quotedIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/\\?`berth ([a-z][^`\n]*?)\\?`/g)].map(([, words = '']) =>
    // Values, which may be options themselves.
    words.replace(/\$\{[^}]*\}/g, 'x'),
  );
}

function commandOf(words: readonly string[]): { command: Command; rest: readonly string[] } | undefined {
  let command = program;
  let rest = words;
  for (;;) {
    const next = command.commands.find((each) => each.name() === rest[0]);
    if (next === undefined) {
      return command === program || command.commands.length > 0 ? undefined : { command, rest };
    }
    command = next;
    rest = rest.slice(1);
  }
}

function optionsOf(command: Command): string[] {
  const own = command.options.flatMap(({ short, long }) => [short, long]);
  return [...own.filter((flag) => flag !== undefined), '--help', '--json'];
}

/** Why nobody can type it. */
function problemOf(quoted: string): string | undefined {
  // `berth port add|remove|list` names three; what is piped or follows `--` is somebody else's.
  const [typed = ''] = quoted.split(/ \| | -- /);
  const words = typed.split(' ').filter((word) => word !== '');
  const alternatives = words.findIndex((word) => /^[a-z]+(\|[a-z]+)+$/.test(word));
  if (alternatives >= 0) {
    const [before, after] = [words.slice(0, alternatives), words.slice(alternatives + 1)];
    const problems = words[alternatives]!.split('|').map((one) =>
      problemOf([...before, one, ...after].join(' ')),
    );
    return problems.find((problem) => problem !== undefined);
  }
  const found = commandOf(words);
  if (found === undefined) {
    return 'no such command';
  }
  const flags = found.rest.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ''));
  const unknown = flags.filter((flag) => !optionsOf(found.command).includes(flag));
  return unknown.length > 0 ? `no option ${unknown.join(', ')}` : undefined;
}

describe('cli: what hints name', () => {
  it('are commands that there are, with options that they have', () => {
    const wrong: string[] = [];
    let count = 0;
    for (const file of sources()) {
      for (const quoted of quotedIn(file)) {
        count += 1;
        const problem = problemOf(quoted);
        if (problem !== undefined && !/^(__complete|help)\b/.test(quoted)) {
          wrong.push(`${file}: berth ${quoted}: ${problem}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
    assert(count > 60, `${count} were found`);
  });

  it('name what there is, and leave a NAME open only for what is to be made', () => {
    const code = sources().filter((file) => file.endsWith('.ts'));
    const open = code.flatMap((file) => quotedIn(file).filter((quoted) => /\bNAME\b/.test(quoted)));
    assert.deepEqual(
      open.filter((quoted) => !/^(?:volume )?create /.test(quoted)),
      [],
    );
  });

  it('are options of some command, where no command is named', () => {
    const all = new Set<string>();
    const gather = (command: Command): void => {
      optionsOf(command).forEach((flag) => all.add(flag));
      command.commands.forEach(gather);
    };
    gather(program);
    const backend = sources().filter((file) => /^src\/(api|backend\/(services|server|store))\//.test(file));
    const wrong = backend.flatMap((file) => {
      const hints = [...readFileSync(join(root, file), 'utf8').matchAll(/hint: ?(?:\n\s*)?(['`"].*)/g)];
      // Not of commands of others, which are in backticks with their names.
      const own = hints.map(([, text = '']) => text.replace(/\\?`(?!--)[^`]*`/g, ' '));
      const flags = own.flatMap((text) =>
        [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag),
      );
      return flags.filter((flag) => !all.has(flag)).map((flag) => `${file}: ${flag}`);
    });
    assert.deepEqual(wrong, []);
  });
});
