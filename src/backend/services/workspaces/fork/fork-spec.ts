/** What forks have of the workspace that they come from, and what is their own. */
import { createHash } from 'node:crypto';
import type { Mount, PublishedPort, WorkspaceSpec } from '../../../../api/workspaces/schemas';
import { isName, maxNameLength } from '../../../../api/rules/names';

const sumDigits = 8;

/** A volume of the source, and the fork's copy of it. */
export interface VolumeCopy {
  from: string;
  to: string;
}

export interface ForkPlan {
  spec: WorkspaceSpec;
  /** Of named volumes that are written to. */
  copies: VolumeCopy[];
  ports: PublishedPort[];
  /** What they don't have as the source has it, in words. */
  notes: string[];
}

/** Volumes that only the source may write to: each fork has a copy. Others are mounted as they are. */
export const isCopied = ({ kind, readOnly }: Mount): boolean => kind === 'volume' && !readOnly;

/** The plan of one fork, made of `image`. */
export function forkPlanOf(spec: WorkspaceSpec, image: string, fork: string): ForkPlan {
  const { ports = [], mounts = [], ...rest } = spec;
  const sources = [...new Set(mounts.filter(isCopied).map(({ source }) => source))];
  const copies = sources.map((from) => ({ from, to: copyNameOf(fork, from) }));
  const copyOf = new Map(copies.map(({ from, to }) => [from, to]));
  return {
    spec: {
      ...rest,
      image,
      ...(mounts.length > 0 && { mounts: mounts.map((mount) => mountOf(mount, copyOf)) }),
    },
    copies,
    ports: ports.map(({ guest }) => ({ guest })),
    notes: notesOf(spec),
  };
}

function mountOf(mount: Mount, copyOf: ReadonlyMap<string, string>): Mount {
  if (mount.kind === 'disk') {
    return { ...mount, readOnly: true };
  }
  return isCopied(mount) ? { ...mount, source: copyOf.get(mount.source) ?? mount.source } : mount;
}

function notesOf({ mounts = [], docker }: WorkspaceSpec): string[] {
  const disks = mounts.filter(({ kind, readOnly }) => kind === 'disk' && !readOnly);
  return [
    ...disks.map(({ source }) => `The disk ${source} is read-only in forks: only one may write to it.`),
    ...(docker === true
      ? ['Images, containers and volumes of the Docker inside are not copied: each fork begins with none.']
      : []),
  ];
}

/** As Berth makes names of volumes; where the two would make none, a part of both with a sum of the whole. */
export function copyNameOf(fork: string, volume: string): string {
  const wanted = `${fork}-${volume}`;
  if (isName(wanted)) {
    return wanted;
  }
  const sum = createHash('sha256').update(wanted).digest('hex').slice(0, sumDigits);
  const plain = wanted
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, maxNameLength - sumDigits - 1)
    .replace(/-+$/, '');
  return `${plain}-${sum}`;
}

/** `count` names that `isTaken` lets have: NAME-fork, NAME-fork-2 and so on. */
export function freeForkNames(source: string, count: number, isTaken: (name: string) => boolean): string[] {
  const names: string[] = [];
  for (let number = 1; names.length < count; number += 1) {
    const ending = number === 1 ? '-fork' : `-fork-${number}`;
    const name = source.slice(0, maxNameLength - ending.length).replace(/-+$/, '') + ending;
    if (!isTaken(name)) {
      names.push(name);
    }
  }
  return names;
}
