/** What every command gets: the streams, the engine, and how results and progress are shown. */
import { join } from 'node:path';
import { BerthError } from '../api';
import type { EngineClient } from '../client/engine-client';
import { stateDirectory } from '../client/endpoint';
import { connect } from '../client/launch';
import { ProgressDisplay } from './terminal/progress';
import { printable, printableJson, printableLines } from './format/text';
import { ask, confirm } from './terminal/question';
import { createStyle, hasColor, hasUnicode, type Style } from './terminal/style';
import { isTerminal, type Streams } from './terminal/streams';
import type { Interrupts } from './interrupts';
import { TypedPaths } from './typed-paths';

export interface CliOptions {
  streams: Streams;
  env: NodeJS.ProcessEnv;
  cwd: string;
  version: string;
  interrupts: Interrupts;
}

export class Cli {
  readonly streams: Streams;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly version: string;
  readonly home: string;
  readonly interrupts: Interrupts;
  /** Machine output on stdout, errors as JSON on stderr, no progress. */
  json = false;
  /** How many words of the command line stand after `--`; undefined without one. */
  wordsAfterDashes: number | undefined;
  /** What the program ends with when nothing is thrown. */
  exitCode = 0;
  /** How the paths of this command line were typed. */
  readonly paths = new TypedPaths();
  private client: Promise<EngineClient> | undefined;

  constructor(options: CliOptions) {
    this.streams = options.streams;
    this.env = options.env;
    this.cwd = options.cwd;
    this.version = options.version;
    this.interrupts = options.interrupts;
    this.home = stateDirectory(options.env);
  }

  /** Fires at the first Ctrl-C, at SIGTERM and SIGHUP, and when nobody reads any more. */
  get signal(): AbortSignal {
    return this.interrupts.signal;
  }

  /** The style of stdout. */
  get style(): Style {
    return this.styleOf(this.streams.stdout);
  }

  get errorStyle(): Style {
    return this.styleOf(this.streams.stderr);
  }

  /** A person can be asked: there is a terminal on both sides, and no program reads the answer. */
  get isInteractive(): boolean {
    return !this.json && isTerminal(this.streams.stdin) && isTerminal(this.streams.stderr);
  }

  /** The engine, started when none runs. */
  engine(): Promise<EngineClient> {
    this.client ??= connect({
      enginePath: this.env.BERTH_ENGINE_PATH ?? join(__dirname, 'engine.js'),
      version: this.version,
      home: this.home,
    });
    return this.client;
  }

  /** What came from guests is in it: no control character of theirs reaches a terminal. */
  print(text: string): void {
    const lines = isTerminal(this.streams.stdout) ? printableLines(text) : text;
    this.streams.stdout.write(`${this.json ? printableJson(text) : lines}\n`);
  }

  /** For people only, beside the result. */
  note(text: string): void {
    if (!this.json) {
      this.streams.stderr.write(`${printableLines(text)}\n`);
    }
  }

  /** The result of a command: the value for machines, the text for people. */
  result(value: unknown, text: () => string): void {
    if (this.json) {
      this.print(JSON.stringify(value, null, 2));
      return;
    }
    const shown = text();
    if (shown !== '') {
      this.print(shown);
    }
  }

  progress(): ProgressDisplay {
    return new ProgressDisplay(this.streams.stderr, this.errorStyle);
  }

  ask(question: string, options: { hidden?: boolean } = {}): Promise<string> {
    return ask(this.streams, printable(question), { ...options, signal: this.signal });
  }

  /**
   * Goes on after a yes; without a terminal only with `--yes`. Throws `bad_request` where nobody can be asked,
   * `cancelled` after a no.
   */
  async consent(
    yes: boolean | undefined,
    explanation: string,
    question: string,
    flag = '--yes',
  ): Promise<void> {
    if (yes === true) {
      return;
    }
    if (!this.isInteractive) {
      const lines = [explanation, question, 'No terminal to confirm on.']
        .filter((part) => part !== '')
        .join(' ');
      throw new BerthError('bad_request', lines, {
        hint: `Add ${flag} when you are sure.`,
      });
    }
    this.note(explanation);
    if (!(await confirm(this.streams, printable(question), this.signal))) {
      throw new BerthError('cancelled', 'Nothing was changed.');
    }
  }

  async dispose(): Promise<void> {
    // One that nobody has got yet is not waited for: it may take longer than its command may.
    const nothingYet = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
    const client = await Promise.race([this.client?.catch(() => undefined), nothingYet]);
    client?.dispose();
  }

  private styleOf(stream: NodeJS.WriteStream): Style {
    return createStyle(hasColor(isTerminal(stream), this.env), hasUnicode(this.env));
  }
}
