import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Option, type Command } from 'commander';
import { BerthError, type Operation } from '../../../api';
import { resultOf } from '../../../api/rules/results';
import { mebibyte } from '../../../api/rules/sizes';
import type { ExportQuery, ImportQuery, ImportResult } from '../../../api/workspaces/export';
import { exportToFile, exportWorkspace, importWorkspace } from '../../../client/workspace-file';
import type { Cli } from '../../cli';
import { examples } from '../../help';
import { watch } from '../../operation';
import { localPath } from '../../parse/sources';
import { parseRuntime } from '../../parse/options';
import { checkWorkspaceName } from '../../parse/workspace-name';
import { isTerminal } from '../../terminal/streams';

interface ExportOptions extends Pick<ExportQuery, 'image'> {
  output?: string;
  force?: boolean;
}

interface ImportOptions extends Pick<ImportQuery, 'name' | 'runtime' | 'trust'> {
  start: boolean;
}

const ending = '.berth';
const standard = '-';

/** `berth export` and `berth import`. */
export function registerExport(program: Command, cli: Cli): void {
  examples(
    program
      .command('export')
      .description('write all of a workspace to one file; it goes on meanwhile')
      .argument('<name>')
      .option('--output <file>', 'the file, or `-` for standard output (default: NAME.berth)')
      .addOption(
        new Option('--image <how>', '`reference`: without the image, and what was installed').choices([
          'include',
          'reference',
        ]),
      )
      .option('--force', 'replace a file that is there')
      .action((name: string, options: ExportOptions) => exportOne(cli, name, options)),
    ['berth export demo', 'demo.berth'],
    ['berth export demo --output - | ssh other berth import -', 'to another machine'],
  );
  examples(
    program
      .command('import')
      .description('make a workspace of a file that `berth export` wrote')
      .argument('<file>', 'the file, or `-` for standard input')
      .option('--name <name>', 'another name than the one in the file')
      .option('--runtime <kind>', 'another kind of runtime: container or microvm', parseRuntime)
      .option('--no-start', 'leave it stopped')
      .option('--trust', 'also with a Docker inside, a way to the loopback of this machine, or its ports')
      .action((file: string, options: ImportOptions) => importOne(cli, file, options)),
    ['berth import demo.berth', ''],
    ['berth import demo.berth --name demo-2', 'beside the one it was made of'],
  );
}

async function exportOne(cli: Cli, name: string, options: ExportOptions): Promise<void> {
  const { output = `${name}${ending}`, force = false, image } = options;
  checkWorkspaceName(name);
  const { stdout } = cli.streams;
  if (output === standard && isTerminal(stdout)) {
    throw new BerthError('bad_request', 'A workspace file is not written to a terminal.', {
      field: 'output',
      hint: 'Name a file, or a pipe behind `--output -`.',
    });
  }
  const client = await cli.engine();
  const display = cli.progress();
  let watching: { dispose(): void } | undefined;
  const begun = (id: string): void => {
    if (!cli.json) {
      watching = watch(client, id, (operation) => display.update(operation));
    }
  };
  const query = { ...(image !== undefined && { image }), signal: cli.signal, begun };
  let ended: Operation | undefined;
  try {
    ended =
      output === standard
        ? await exportWorkspace(client, name, stdout, query)
        : await exportToFile(client, name, localPath(output, cli.cwd), { ...query, force });
  } finally {
    watching?.dispose();
    display.end(cli.json ? undefined : ended);
  }
  const { leftOut } = resultOf(ended, 'workspace.export');
  cli.exitCode = ended.warnings.length > 0 ? 1 : 0;
  noteLeftOut(cli, leftOut);
  if (output !== standard) {
    cli.result(
      { workspace: name, file: output, leftOut, warnings: ended.warnings },
      () => `${name} is in ${output}.`,
    );
  }
}

async function importOne(cli: Cli, file: string, options: ImportOptions): Promise<void> {
  const { name, runtime, trust, start } = options;
  if (name !== undefined) {
    checkWorkspaceName(name);
  }
  const query: ImportQuery = {
    ...(name !== undefined && { name }),
    ...(runtime !== undefined && { runtime }),
    ...(trust === true && { trust }),
    ...(!start && { start: false }),
  };
  const { content, size, close } = await openInput(cli, file);
  let result: ImportResult;
  try {
    const client = await cli.engine();
    const done = showSent(cli, content, size);
    try {
      result = await importWorkspace(client, content, query, cli.signal);
    } finally {
      done();
    }
  } finally {
    await close();
  }
  const { workspace, leftOut, secretNames, warnings } = result;
  cli.exitCode = warnings.length > 0 ? 1 : 0;
  warnings.forEach((warning) => cli.note(`warning: ${warning}`));
  noteLeftOut(cli, leftOut);
  noteNames(cli, result);
  if (secretNames.length > 0) {
    const flags = secretNames.map((each) => `--secret ${each}`).join(' ');
    cli.note(`note: set its secrets: berth set ${workspace} ${flags}`);
  }
  cli.result(result, () => `${workspace} is imported.`);
}

/** Every volume and port of this machine that it has now: the file chose some of their names. */
function noteNames(cli: Cli, { volumes, renamed, ports, published }: ImportResult): void {
  for (const volume of volumes) {
    const from = renamed.find(({ to }) => to === volume)?.from;
    cli.note(`note: it has the volume ${volume}${from === undefined ? '' : `, which was ${from}`}`);
  }
  for (const { host, guest } of published) {
    const moved = ports.filter((port) => port.guest === guest).map(({ from }) => from);
    const was = moved.length === 0 ? '' : `, and not ${moved.join(', ')}`;
    cli.note(`note: port ${host} of this machine leads to its port ${guest}${was}`);
  }
}

function noteLeftOut(cli: Cli, leftOut: readonly string[]): void {
  leftOut.forEach((what) => cli.note(`note: not in the file: ${what}`));
}

interface Input {
  content: Readable;
  /** 0 where nobody knows. */
  size: number;
  close: () => Promise<void>;
}

async function openInput(cli: Cli, file: string): Promise<Input> {
  if (file === standard) {
    return { content: cli.streams.stdin, size: 0, close: () => Promise.resolve() };
  }
  const path = localPath(file, cli.cwd);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const found = await handle.stat();
    if (found.isDirectory()) {
      throw new Error('it is a folder');
    }
    const content = createReadStream(path, { fd: handle, autoClose: false, highWaterMark: mebibyte });
    const opened = handle;
    return { content, size: found.size, close: () => opened.close().catch(() => undefined) };
  } catch (error) {
    await handle?.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new BerthError('path_not_found', `${path} can't be read: ${why}.`, { field: 'file', cause: error });
  }
}

const shownEveryMs = 200;

/** How much was sent, on a terminal; the answer takes it away. */
function showSent(cli: Cli, content: Readable, total: number): () => void {
  if (cli.json) {
    return () => undefined;
  }
  const display = cli.progress();
  let sent = 0;
  const update = (): void => {
    const progress = { unit: 'bytes' as const, done: sent, ...(total > 0 && { total }) };
    display.update({
      ...{
        id: '',
        kind: 'workspace.create',
        title: 'Import',
        status: 'running',
        startedAt: '',
        cancellable: true,
      },
      ...{ steps: [], warnings: [], progress },
    });
  };
  content.on('data', (chunk: Buffer) => (sent += chunk.length));
  // The one who pipes it decides when it flows.
  content.pause();
  const timer = setInterval(update, shownEveryMs);
  return () => {
    clearInterval(timer);
    display.end(undefined);
  };
}
