/** A transfer as asked for, made plain: from where, to where, under which names. */
import { basename, dirname, isAbsolute, parse, resolve } from 'node:path';
import { BerthError } from '../../../api/errors';
import type { ConflictPolicy, TransferCreate } from '../../../api/files/schemas';
import { baseName, isInside, joinPath, normalizePath, parentPath } from '../../../api/rules/volume-path';

export interface Item {
  /** A local path, or one in the source volume. */
  source: string;
  /** What it is to be called in the target folder. */
  name: string;
}

export interface TransferPlan {
  /** Undefined: this machine. */
  fromVolume: string | undefined;
  toVolume: string | undefined;
  /** The folder that the items are put into. */
  target: string;
  items: Item[];
  move: boolean;
  policy: ConflictPolicy;
}

function bad(message: string, field: string, hint?: string): BerthError {
  return new BerthError('bad_request', message, { field, ...(hint !== undefined && { hint }) });
}

function localPathOf(path: string, field: string): string {
  if (!isAbsolute(path) || path.includes('\0')) {
    throw bad(`${JSON.stringify(path)} is not an absolute path of this machine.`, field);
  }
  return resolve(path);
}

function sourcesOf(request: TransferCreate): { volume: string | undefined; paths: string[] } {
  if ('local' in request.from) {
    return { volume: undefined, paths: request.from.local.map((path) => localPathOf(path, 'from.local')) };
  }
  return { volume: request.from.volume, paths: request.from.paths.map(normalizePath) };
}

function targetOf(request: TransferCreate): { volume: string | undefined; path: string } {
  return 'local' in request.to
    ? { volume: undefined, path: localPathOf(request.to.local, 'to.local') }
    : { volume: request.to.volume, path: normalizePath(request.to.path) };
}

/** A volume's root is called as its volume. */
function nameOf(path: string, volume: string | undefined): string {
  const name = volume === undefined ? basename(path) : baseName(path) || volume;
  if (name === '') {
    throw bad(`${JSON.stringify(path)} has no name that it could be copied under.`, 'from.local');
  }
  return name;
}

function placed(request: TransferCreate): Pick<TransferPlan, 'items' | 'target'> {
  const from = sourcesOf(request);
  const to = targetOf(request);
  if (request.exact !== true) {
    const items = from.paths.map((source) => ({ source, name: nameOf(source, from.volume) }));
    return { items, target: to.path };
  }
  const [source] = from.paths;
  if (source === undefined || from.paths.length > 1) {
    throw bad('With `exact`, one thing is copied, under the name given.', 'exact');
  }
  const isLocal = to.volume === undefined;
  const name = isLocal ? basename(to.path) : baseName(to.path);
  if (name === '') {
    throw bad('With `exact`, the target must be a name, not a root.', 'to');
  }
  return { items: [{ source, name }], target: isLocal ? dirname(to.path) : parentPath(to.path) };
}

function refuseSameNames(items: readonly Item[]): void {
  const seen = new Map<string, string>();
  for (const { name, source } of items) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw bad(
        `${JSON.stringify(other)} and ${JSON.stringify(source)} have the same name.`,
        'from',
        'Copy them one after the other.',
      );
    }
    seen.set(name, source);
  }
}

function refuseIntoItself(plan: TransferPlan): void {
  if (plan.fromVolume === undefined || plan.fromVolume !== plan.toVolume) {
    return;
  }
  const inside = plan.items.find(({ source }) => isInside(plan.target, source));
  if (inside !== undefined) {
    throw bad(`The folder ${JSON.stringify(inside.source)} can't be put into itself.`, 'to');
  }
}

/** Refuses what can never work. Throws `bad_request`, naming the field. */
export function planTransfer(request: TransferCreate): TransferPlan {
  const from = sourcesOf(request);
  const to = targetOf(request);
  if (from.volume === undefined && to.volume === undefined) {
    throw bad('One side of a transfer must be a volume.', 'to');
  }
  const plan: TransferPlan = {
    fromVolume: from.volume,
    toVolume: to.volume,
    ...placed(request),
    move: request.move ?? false,
    policy: request.conflict ?? 'fail',
  };
  const isLocal = plan.fromVolume === undefined;
  if (plan.move && plan.items.some(({ source }) => source === (isLocal ? parse(source).root : '/'))) {
    throw bad(`The root of ${isLocal ? 'this machine' : 'a volume'} can be copied but not moved.`, 'move');
  }
  refuseSameNames(plan.items);
  refuseIntoItself(plan);
  return plan;
}

/** Where an item will be in the target volume. */
export function targetPath(plan: TransferPlan, item: Item): string {
  return joinPath(plan.target, item.name);
}
