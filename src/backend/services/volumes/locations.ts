/**
 * What a path of a workspace means: what the shell inside finds there, whatever is mounted. The one rule for all that
 * take such paths.
 */
import { posix } from 'node:path';
import { BerthError } from '../../../api/errors';
import { notWhile } from '../../../api/rules/lifecycle';
import { rootFilesOf } from '../../../api/rules/root-files';
import type { FileEntry, FileLocation } from '../../../api/files/schemas';
import type { RuntimeInfo } from '../../drivers/driver';
import { quote } from '../../../api/rules/volume-path';
import type { VolumeFiles } from '../../files/volume-files';
import { toolsDirectory } from '../../inside/init-script';
import { dockerDirectory, homeAlias, homeFolder } from '../../inside/places';
import type { WorkspaceRecord } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';
import type { Runtimes } from '../workspaces/runtime-handle';

/** As the kernel counts. */
const maxLinks = 40;

export interface MountPoint {
  target: string;
  /** Undefined where it is no volume: then the runtime alone can reach it. */
  volume: string | undefined;
  readOnly: boolean;
}

export interface LocationDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  openFiles: (volume: string) => Promise<VolumeFiles>;
}

/** Berth's own, which no link of an image leads to. */
const fixedTargets: readonly string[] = [homeFolder, homeAlias, dockerDirectory, toolsDirectory];

export class Locations {
  /** Where the mounts of a runtime really are: that does not change as long as it is there. */
  private readonly real = new Map<string, { runtime: string; targets: Map<string, string> }>();

  constructor(private readonly deps: LocationDeps) {}

  /**
   * `follow`: also when the last component is a link. What is missing is located where it would be made. Throws
   * `illegal_state` while it is being created.
   */
  async locate(workspace: string, path: string, { follow }: { follow: boolean }): Promise<FileLocation> {
    const record = this.deps.registry.get(workspace);
    if (record.state === 'creating') {
      throw notWhile(record.state, workspace, "its files can't be reached");
    }
    const runtime = await (await this.deps.runtimes.reach(record)).inspect();
    const root = rootFilesOf(workspace);
    const planned = mountPointsOf(record, runtime);
    const mounts = runtime === undefined ? planned : await this.atRealTargets(workspace, runtime, planned);
    const inside = await this.walk(mounts, root).to(absolute(path), follow);
    return { ...place(mounts, inside, root), inside, mounts: mountsBelow(mounts, inside) };
  }

  private walk(mounts: readonly MountPoint[], root: string): Walk {
    return new Walk(mounts, async (at) => {
      const { volume, path } = place(mounts, at, root);
      return (await this.deps.openFiles(volume)).stat(path);
    });
  }

  /** A target that leads through a link of the image (`/var/run/x`) is where the link leads to (`/run/x`). */
  private async atRealTargets(
    workspace: string,
    { id }: RuntimeInfo,
    planned: readonly MountPoint[],
  ): Promise<MountPoint[]> {
    const known = this.real.get(workspace);
    const targets = known?.runtime === id ? known.targets : new Map<string, string>();
    this.real.set(workspace, { runtime: id, targets });
    const mounts = planned.filter(({ target }) => fixedTargets.includes(target));
    // Outer ones first: what is in them may have links as well.
    for (const mount of planned.filter(({ target }) => !fixedTargets.includes(target)).reverse()) {
      const { target } = mount;
      const real = targets.get(target) ?? (await this.realTarget(workspace, target, mounts));
      if (real !== undefined) {
        targets.set(target, real);
      }
      mounts.push({ ...mount, target: real ?? target });
      mounts.sort(innermostFirst);
    }
    return mounts;
  }

  /** undefined: the files on the way can't be read now. */
  private async realTarget(
    workspace: string,
    target: string,
    mounts: readonly MountPoint[],
  ): Promise<string | undefined> {
    try {
      return await this.walk(mounts, rootFilesOf(workspace)).to(componentsOf(target), true);
    } catch {
      return undefined;
    }
  }
}

function innermostFirst(a: MountPoint, b: MountPoint): number {
  return b.target.length - a.target.length;
}

/** As a shell reads it that starts in the home. */
function absolute(path: string): string[] {
  if (path.includes('\0')) {
    throw new BerthError('bad_request', `The path ${quote(path)} contains a NUL character.`, {
      field: 'path',
    });
  }
  const text = path.replace(/^~(?=\/|$)/, homeFolder);
  return componentsOf(text.startsWith('/') ? text : `${homeFolder}/${text}`);
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** The spec's mounts, and what only the runtime has: volumes that its image declares. The innermost counts. */
export function mountPointsOf(
  { homeVolume, dockerVolume, spec }: Pick<WorkspaceRecord, 'homeVolume' | 'dockerVolume' | 'spec'>,
  runtime: Pick<RuntimeInfo, 'volumes'> | undefined,
): MountPoint[] {
  const planned: MountPoint[] = [
    { target: homeFolder, volume: homeVolume, readOnly: false },
    { target: homeAlias, volume: homeVolume, readOnly: false },
    ...(dockerVolume === undefined
      ? []
      : [{ target: dockerDirectory, volume: dockerVolume, readOnly: false }]),
    ...(spec.mounts ?? []).map(({ kind, source, target, readOnly }) => ({
      target: posix.resolve('/', target),
      volume: kind === 'volume' ? source : undefined,
      readOnly,
    })),
    { target: toolsDirectory, volume: undefined, readOnly: true },
  ];
  const known = new Set(planned.map(({ target }) => target));
  const others = (runtime?.volumes ?? [])
    .map((each) => ({ ...each, target: posix.resolve('/', each.target) }))
    .filter(({ target }) => !known.has(target));
  return [...planned, ...others].sort(innermostFirst);
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

function place(
  mounts: readonly MountPoint[],
  inside: string,
  root: string,
): { volume: string; path: string; readOnly: boolean } {
  const found = mounts.find(({ target }) => isBelow(inside, target));
  if (found?.volume === undefined) {
    return { volume: root, path: inside, readOnly: found?.readOnly ?? false };
  }
  return {
    volume: found.volume,
    path: inside.slice(found.target.length) || '/',
    readOnly: found.readOnly,
  };
}

function mountsBelow(mounts: readonly MountPoint[], inside: string): FileLocation['mounts'] {
  return mounts
    .filter(({ target }) => target !== inside && isBelow(target, inside))
    .map(({ target, volume }) => ({
      path: target.slice(inside === '/' ? 1 : inside.length + 1),
      ...(volume !== undefined && { volume }),
    }));
}

/** From the root, one component after the other, as the kernel goes: a link leads on inside of the workspace. */
class Walk {
  private links = 0;

  constructor(
    private readonly mounts: readonly MountPoint[],
    private readonly stat: (inside: string) => Promise<FileEntry>,
  ) {}

  async to(components: readonly string[], follow: boolean): Promise<string> {
    const todo = [...components].reverse();
    const done: string[] = [];
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '..') {
        await this.mustBeFolder(`/${done.join('/')}`);
        done.pop();
        continue;
      }
      const at = `/${[...done, name].join('/')}`;
      const target = todo.length > 0 || follow ? await this.linkAt(at) : undefined;
      if (target === undefined) {
        done.push(name);
        continue;
      }
      this.links += 1;
      if (this.links > maxLinks) {
        throw new BerthError('path_not_found', `Too many links on the way to ${quote(at)}.`);
      }
      if (target.startsWith('/')) {
        done.length = 0;
      }
      todo.push(...componentsOf(target).reverse());
    }
    return `/${done.join('/')}`;
  }

  /** What is mounted somewhere, and what is above it, are folders. */
  private isOfMounts(inside: string): boolean {
    return this.mounts.some(({ target }) => isBelow(target, inside));
  }

  /** As nothing else has a `..`: without it a mistyped path would lead to something else, which may be removed then. */
  private async mustBeFolder(inside: string): Promise<void> {
    if (!this.isOfMounts(inside) && (await this.stat(inside)).type !== 'directory') {
      throw new BerthError('not_a_directory', `${quote(inside)} is not a folder.`);
    }
  }

  /** What a link says; undefined when there is none. */
  private async linkAt(inside: string): Promise<string | undefined> {
    if (this.isOfMounts(inside)) {
      return undefined;
    }
    try {
      const entry = await this.stat(inside);
      return entry.type === 'symlink' ? entry.linkTarget : undefined;
    } catch (error) {
      // Whoever uses the path says better what is wrong with it.
      if (error instanceof BerthError && ['path_not_found', 'not_a_directory'].includes(error.code)) {
        return undefined;
      }
      throw error;
    }
  }
}
