/**
 * What `berth cp SRC... DST` means: what GNU `cp -r SRC... DST` does, in both directions. Links are copied as links, also
 * those that are named; `link/` and `link/.` are what they lead to.
 */
import { posix } from 'node:path';
import { BerthError, asBerthError, type TransferCreate } from '../../api';
import type { EngineClient } from '../../client/engine-client';
import { openSource, type CopyItem, type CopySource } from './sources';
import type { CopyPlace, CopyWords } from './copy-place';
import type { TypedPaths } from '../typed-paths';
import { openTarget, type CopyTarget } from './targets';

export interface CopyPlan {
  requests: TransferCreate[];
  /** A folder that must be made first (`cp dir/. NEW`). */
  makeFolder: CopyPlace | undefined;
  /** Sources that can't be copied; the others are. */
  failed: BerthError[];
}

/** What has to be copied where. Throws `path_not_found`, and `bad_request` for what can't be copied so. */
export async function planCopy(
  client: EngineClient,
  sources: readonly string[],
  target: string,
  words: CopyWords,
): Promise<CopyPlan> {
  const { paths } = words;
  const to = await openTarget(client, target, words);
  addTarget(paths, to);
  if (sources.length > 1) {
    requireFolder(to);
  }
  const failed: BerthError[] = [];
  const found: CopySource[] = [];
  for (const source of sources) {
    try {
      const opened = await openSource(client, source, words);
      addSource(paths, source, opened);
      found.push(opened);
    } catch (error) {
      failed.push(asBerthError(error));
    }
  }
  const [first] = found;
  if (first === undefined) {
    const [only] = failed;
    throw failed.length === 1 && only !== undefined
      ? only
      : new BerthError('path_not_found', failed.map(({ message }) => message).join(' '));
  }
  const plan = to.kind === 'folder' ? into(found, to) : under(first, to);
  const requests = plan.requests.flatMap((request) => {
    const { rest, same } = withoutSame(request);
    failed.push(...same.map((path) => new BerthError('bad_request', `${path} would be copied onto itself.`)));
    return rest === undefined ? [] : [rest];
  });
  if (requests.length === 0 && failed.length === 1 && failed[0] !== undefined) {
    throw failed[0];
  }
  return { ...plan, requests, failed };
}

/** The engine copies under a new name what is to be where it is: good for "paste", not for what names its target. */
function withoutSame(request: TransferCreate): { rest: TransferCreate | undefined; same: string[] } {
  const { from, to } = request;
  if (!('volume' in from) || !('volume' in to) || from.volume !== to.volume) {
    return { rest: request, same: [] };
  }
  const targetOf = (path: string): string =>
    request.exact === true ? to.path : posix.join(to.path, posix.basename(path));
  const paths = from.paths.filter((path) => targetOf(path) !== path);
  const same = from.paths.filter((path) => targetOf(path) === path);
  return { rest: paths.length === 0 ? undefined : { ...request, from: { ...from, paths } }, same };
}

/** Paths of this machine are told in full. */
function addTarget(paths: TypedPaths, { place, text, link, mounted }: CopyTarget): void {
  for (const each of [place, link, mounted?.place].filter((known) => known !== undefined)) {
    paths.add(pathOf(each), 'local' in each ? each.local : text);
  }
}

function addSource(paths: TypedPaths, text: string, { items, isContents }: CopySource): void {
  for (const { at, name } of items) {
    const folder = text.replace(/(?<=[:/])\.$/, '');
    const within = /[:/]$/.test(folder) ? folder + name : `${folder}/${name}`;
    paths.add(pathOf(at), 'local' in at ? at.local : isContents ? within : text);
  }
}

function pathOf(place: CopyPlace): string {
  return 'local' in place ? place.local : place.path;
}

/** Each under its own name, beside what is there. */
function into(
  sources: readonly CopySource[],
  { place, mounted }: Pick<CopyTarget, 'place' | 'mounted'>,
): Omit<CopyPlan, 'failed'> {
  const items = sources.flatMap((source) => source.items);
  const isBelowMount = items.some(({ name }) => mounted?.names.includes(name));
  const folder = isBelowMount && mounted !== undefined ? mounted.place : place;
  const isPlain = ({ at, name }: CopyItem): boolean => baseOf(at) === name;
  const requests = [
    ...grouped(items.filter(isPlain)).map((from) => ({ from, to: placeOf(folder) })),
    ...items.filter((item) => !isPlain(item)).map((item) => exactly(item, below(folder, item.name))),
  ];
  return { requests, makeFolder: undefined };
}

/** One source that is to have the target's name. */
function under(source: CopySource, to: CopyTarget): Omit<CopyPlan, 'failed'> {
  if (to.kind === 'missing' && to.ending === 'dot') {
    throw noFolder(to);
  }
  if (source.isContents) {
    if (to.kind !== 'missing') {
      throw notAFolder(to);
    }
    return { ...into([source], to), makeFolder: to.place };
  }
  const [item] = source.items;
  if (item === undefined) {
    throw new BerthError('bad_request', 'There is nothing to copy.');
  }
  if (to.kind === 'missing') {
    if (to.ending !== undefined && item.type !== 'directory') {
      throw noFolder(to);
    }
    return { requests: [exactly(item, to.place)], makeFolder: undefined };
  }
  return { requests: [exactly(item, over(item, to))], makeFolder: undefined };
}

/** Where something goes that takes the place of a file or link. */
function over(item: CopyItem, to: CopyTarget): CopyPlace {
  if (to.ending !== undefined) {
    throw notAFolder(to);
  }
  if (item.type === 'directory') {
    throw new BerthError('not_a_directory', `"${to.text}" is a file: a folder can't be copied over it.`);
  }
  if (item.type === 'symlink') {
    return to.link ?? to.place;
  }
  if (to.kind === 'dangling') {
    throw new BerthError('path_exists', `"${to.text}" is a link that leads nowhere.`, {
      hint: 'Remove the link first, or name what it leads to.',
    });
  }
  return to.place;
}

function requireFolder(to: CopyTarget): void {
  if (to.kind === 'missing') {
    throw noFolder(to);
  }
  if (to.kind !== 'folder') {
    throw notAFolder(to);
  }
}

function noFolder({ text }: CopyTarget): BerthError {
  return new BerthError('path_not_found', `There is no folder "${text}".`, {
    hint: 'Create it first, with mkdir or `berth mkdir`.',
  });
}

function notAFolder({ text }: CopyTarget): BerthError {
  return new BerthError('not_a_directory', `"${text}" is a file, not a folder.`);
}

function exactly({ at }: CopyItem, to: CopyPlace): TransferCreate {
  const [from] = grouped([{ at }]);
  if (from === undefined) {
    throw new BerthError('bad_request', 'There is nothing to copy.');
  }
  return { from, to: placeOf(to), exact: true };
}

function placeOf(place: CopyPlace): CopyPlace {
  return 'local' in place ? { local: place.local } : { volume: place.volume, path: place.path };
}

/** The engine and we may run on Windows: its paths have both slashes. */
function below(folder: CopyPlace, name: string): CopyPlace {
  return 'local' in folder
    ? { local: `${folder.local.replace(/[/\\]$/, '')}/${name}` }
    : { volume: folder.volume, path: posix.join(folder.path, name) };
}

function baseOf(at: CopyPlace): string {
  return 'local' in at ? (at.local.split(/[/\\]/).at(-1) ?? '') : posix.basename(at.path);
}

/** One request for all local sources, one for each volume. */
function grouped(items: readonly Pick<CopyItem, 'at'>[]): TransferCreate['from'][] {
  const local = items.flatMap(({ at }) => ('local' in at ? [at.local] : []));
  const byVolume = new Map<string, string[]>();
  for (const { at } of items) {
    if (!('local' in at)) {
      byVolume.set(at.volume, [...(byVolume.get(at.volume) ?? []), at.path]);
    }
  }
  return [
    ...(local.length > 0 ? [{ local }] : []),
    ...[...byVolume].map(([volume, paths]) => ({ volume, paths })),
  ];
}
