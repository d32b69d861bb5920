/** What copies of a workspace are made of: snapshots of its volumes, and an image of its own files. It goes on meanwhile. */
import type { WorkspaceRecord } from '../record';
import type { Runtimes } from '../runtime-handle';
import type { Snapshots } from '../../snapshots/snapshots';
import type { OperationContext } from '../../operations/operation-context';
import { isBase, type ForkBaseDeps } from './fork-base';
import { dropForkImage, imageOfOwn } from './fork-image';
import { isCopied } from './fork-spec';

export interface TakeBaseDeps extends Omit<ForkBaseDeps, 'snapshots'> {
  runtimes: Runtimes;
  snapshots: Snapshots;
}

/** What all copies of one call begin with. */
export interface Base {
  source: WorkspaceRecord;
  image: string;
  /** Ids by their volumes: of the home, and of named volumes. */
  snapshots: ReadonlyMap<string, string>;
  /** Ids of those that were made for them. */
  made: readonly string[];
  at: string;
}

export interface BaseOptions {
  /** Of the home, by id or name: that is taken, and none is made. */
  snapshot?: string | undefined;
  /** Without an image of its own files. */
  withoutOwn?: boolean;
}

/** All of it or nothing. To be given back by `releaseBase`. */
export async function takeBase(
  deps: TakeBaseDeps,
  source: WorkspaceRecord,
  { snapshot, withoutOwn = false }: BaseOptions,
  context: OperationContext,
): Promise<Base> {
  const { snapshots, log } = deps;
  const { homeVolume, spec } = source;
  const named = new Set((spec.mounts ?? []).filter(isCopied).map(({ source: volume }) => volume));
  const known = new Map<string, string>();
  const made: string[] = [];
  if (snapshot !== undefined) {
    known.set(homeVolume, (await snapshots.get(homeVolume, snapshot)).id);
  }
  const base = { source, image: spec.image, snapshots: known, made, at: new Date().toISOString() };
  try {
    // First: what can't be read says so before anything is copied.
    if (!withoutOwn) {
      base.image = (await imageOfOwn(deps, source, context)) ?? spec.image;
    }
    const keep = async (volume: string): Promise<void> => {
      const id = await snapshots.keep(volume, 'fork', context);
      made.push(id);
      known.set(volume, id);
    };
    if (!known.has(homeVolume)) {
      await context.step('snapshot', 'Keep its home as it is now', () => keep(homeVolume));
    }
    // One after the other: each is held against the room that is left, and its writers are held still for it.
    for (const volume of named) {
      await context.step(`snapshot ${volume}`, `Keep ${volume} as it is now`, () => keep(volume));
    }
    return base;
  } catch (error) {
    await releaseBase(deps, base).catch((left: unknown) => {
      log.warn({ err: left, workspace: source.name }, 'what copies were to begin with stays');
    });
    throw error;
  }
}

/** What no fork has come to; of named volumes nobody compares with what they began with. */
export async function releaseBase(
  deps: TakeBaseDeps,
  { source, image, snapshots, made }: Base,
): Promise<void> {
  await dropForkImage(deps, deps.runtimes.of(source).driver, image);
  const ofHome = snapshots.get(source.homeVolume);
  for (const id of made.filter((each) => each !== ofHome || !isBase(deps, each))) {
    await deps.snapshots.dropForked(id);
  }
}
