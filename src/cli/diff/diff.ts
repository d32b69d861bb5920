/** Two trees compared, for `diff` and `snapshot diff`. */
import { BerthError, type Change, type CompareEnd, type ComparedFile, type CompareFailure } from '../../api';
import { encodeName } from '../../api/files/file-names';
import { joinPath, baseName } from '../../api/rules/volume-path';
import { compare, type ComparedPlace } from '../../client/compare';
import type { EngineClient } from '../../client/engine-client';
import type { Cli } from '../cli';
import { ExitWith, exitCodeOf, exitCodes, formatFailure } from '../failure';
import { gitName } from '../format/c-quoted';
import { printableLines, shellName } from '../format/text';
import { isTerminal } from '../terminal/streams';
import { isPatched, maxPatchBytes, patchOf, type PatchSide } from './patch';
import { formatChange, formatEnd, formatStat, nameOf } from './words';

export interface DiffOptions {
  stat?: boolean;
  patch?: boolean;
  nameOnly?: boolean;
  full?: boolean;
  gitignore?: boolean;
  /** Names as they are, each with a NUL after it. */
  null?: boolean;
}

/** As diff has it: 0 without differences, 1 with, 2 when it is not known. */
const trouble = 2;

export interface Sides {
  before: ComparedPlace;
  after: ComparedPlace;
}

/** Shows what has changed. Throws `ExitWith`. */
export async function diff(
  cli: Cli,
  options: DiffOptions,
  placesOf: (client: EngineClient) => Promise<Sides>,
): Promise<void> {
  try {
    refuseTwoForms(cli, options);
    const client = await cli.engine();
    const sides = await placesOf(client);
    const changes: Change[] = [];
    const failed: CompareFailure[] = [];
    const end = await compare(
      client,
      ...([sides.before, sides.after] as const),
      { changes: (some) => void changes.push(...some), failed: (some) => void failed.push(...some) },
      cli.signal,
      options,
    );
    changes.sort((a, b) => (a.path < b.path ? -1 : 1));
    await show(cli, options, { client, sides, changes, end, failed });
    cli.exitCode = end.unread > 0 ? trouble : changes.length > 0 ? 1 : 0;
  } catch (error) {
    throw isPlainFailure(error) ? failedWith(cli, error) : error;
  }
}

/** That something is not known must not look like a difference. */
function isPlainFailure(error: unknown): boolean {
  return !(error instanceof ExitWith) && exitCodeOf(error) === exitCodes.failure;
}

function failedWith(cli: Cli, error: unknown): ExitWith {
  cli.streams.stderr.write(formatFailure(error, cli.json, cli.errorStyle));
  return new ExitWith(trouble);
}

function refuseTwoForms(cli: Cli, { stat, patch, nameOnly, null: isNull }: DiffOptions): void {
  const forms = [cli.json, stat, patch, nameOnly].filter((form) => form === true);
  if (forms.length > 1) {
    throw new BerthError('bad_request', '--json, --stat, --patch and --name-only exclude each other.');
  }
  if (isNull === true && nameOnly !== true) {
    throw new BerthError('bad_request', '-z is for --name-only.');
  }
}

interface Found {
  client: EngineClient;
  sides: Sides;
  changes: readonly Change[];
  failed: readonly CompareFailure[];
  end: CompareEnd;
}

async function show(cli: Cli, options: DiffOptions, found: Found): Promise<void> {
  const { changes, failed, end } = found;
  if (cli.json) {
    [...changes, ...failed.map((each) => ({ failed: each })), { end }].forEach((each) => {
      cli.print(JSON.stringify(each));
    });
    return;
  }
  const onTerminal = isTerminal(cli.streams.stdout);
  const shownName = onTerminal ? shellName : gitName;
  if (options.patch === true) {
    await showPatch(cli, found);
  } else if (options.null === true) {
    const names = changes.map((change) => encodeName(`${nameOf(change)}\0`));
    cli.streams.stdout.write(Buffer.concat(names));
  } else if (options.nameOnly === true) {
    changes.forEach((change) => cli.print(shownName(nameOf(change))));
  } else if (options.stat === true) {
    formatStat(changes, shownName).forEach((line) => cli.print(line));
  } else {
    changes.forEach((change) => cli.print(formatChange(change, shownName)));
  }
  for (const { path, side, reason } of failed) {
    const place = found.sides[side];
    cli.note(
      `Could not be read: ${shellName(`${place.volume}:${joinPath(place.path, path.slice(1))}`)}: ${reason}`,
    );
  }
  if (options.stat === true) {
    cli.print(formatEnd(end));
  } else if (onTerminal) {
    cli.note(formatEnd(end));
  }
}

async function showPatch(cli: Cli, { client, sides, changes }: Found): Promise<void> {
  let left = 0;
  for (const change of changes) {
    if (!isPatched(change)) {
      left += 1;
      continue;
    }
    const before = await sideOf(cli, client, sides.before, change, change.before);
    const after = await sideOf(cli, client, sides.after, change, change.after);
    const name = change.path === '/' ? `/${baseName(sides.after.path)}` : change.path;
    const { text, isCut } = patchOf(name, before, after);
    write(cli, text);
    if (isCut) {
      cli.note(`Content is not in the patch, as it is binary or large: ${shellName(name.slice(1))}`);
    }
  }
  if (left > 0) {
    cli.note(
      `Not in the patch: ${left} of folders, owners, attributes and other modes. Without --patch they are shown.`,
    );
  }
}

async function sideOf(
  cli: Cli,
  client: EngineClient,
  place: ComparedPlace,
  { path }: Change,
  file: ComparedFile | undefined,
): Promise<PatchSide | undefined> {
  if (file === undefined) {
    return undefined;
  }
  const at = joinPath(place.path, path.slice(1)).replace(/(?<=.)\/$/, '');
  if (file.type === 'symlink') {
    const target = file.target ?? (await linkTarget(client, place.volume, at));
    return { file, content: encodeName(target) };
  }
  const isRead = file.type === 'file' && file.size <= maxPatchBytes;
  // It may have grown since it was compared.
  const range = { length: maxPatchBytes + 1, signal: cli.signal };
  const content = isRead ? await client.readFile(place.volume, at, range) : undefined;
  return { file, content: content !== undefined && content.length > maxPatchBytes ? undefined : content };
}

async function linkTarget(client: EngineClient, volume: string, path: string): Promise<string> {
  const entry = await client.call('files.stat', { params: { volume }, query: { path } });
  return entry.linkTarget ?? '';
}

/** A text in latin1: its bytes, but for a terminal. */
function write(cli: Cli, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  cli.streams.stdout.write(isTerminal(cli.streams.stdout) ? printableLines(bytes.toString()) : bytes);
}
