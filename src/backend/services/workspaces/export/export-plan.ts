/** What of a workspace goes into a file, and what does not, in words. */
import { isBranchName } from '../../../../api/rules/branch-name';
import { cloneAddressProblem } from '../../../../api/rules/clone-address';
import { redactAddresses } from '../../../../api/rules/redact-addresses';
import type { Mount, WorkspaceSpec } from '../../../../api/workspaces/schemas';
import { isCopied } from '../fork/fork-spec';
import type { WorkspaceRecord } from '../record';
import { format, formatVersion, type ExportedVolume, type Manifest, type PortableSpec } from './manifest';

/** Folders of the file that have the volumes' contents, by their place in the manifest. */
export const contentOf = (index: number): string => `volumes/${index}`;
export const imageContent = 'image';

export interface Contained {
  image: { isIncluded: boolean; bytes: number };
  /** Bytes of each volume by its name. */
  bytes: ReadonlyMap<string, number>;
  /** Of those that are disks. */
  sizes: ReadonlyMap<string, number>;
  /** What else is to be known. */
  notes: readonly string[];
}

/** The names of volumes of the file, in their order: the home is the last, as it can be filled only when all else is there. */
export function volumesOf({ spec, homeVolume }: WorkspaceRecord): string[] {
  const named = (spec.mounts ?? []).filter(isCopied).map(({ source }) => source);
  return [...new Set(named), homeVolume];
}

/** The manifest of a workspace. */
export function manifestOf(record: WorkspaceRecord, { image, bytes, sizes, notes }: Contained): Manifest {
  const { name, label, tags, cloned, spec, homeVolume } = record;
  const { secretNames = [] } = spec;
  return {
    format,
    version: formatVersion,
    createdAt: new Date().toISOString(),
    workspace: {
      name,
      label,
      cloned,
      ...(tags !== undefined && tags.length > 0 && { tags }),
      spec: portable(record),
      ...(secretNames.length > 0 && { secretNames }),
    },
    image,
    volumes: volumesOf(record).map((volume): ExportedVolume => {
      const sizeMiB = sizes.get(volume);
      return {
        role: volume === homeVolume ? 'home' : 'named',
        name: volume,
        bytes: bytes.get(volume) ?? 0,
        ...(sizeMiB !== undefined && { sizeMiB }),
      };
    }),
    leftOut: [...notes, ...leftOutOf(record)],
  };
}

function portable({ spec }: WorkspaceRecord): PortableSpec {
  const { target: _, credentialFiles: _files, postStart: _scripts, secretNames: _names, ...rest } = spec;
  const { mounts = [], cloneUrl: _url, cloneBranch: _branch, cloneDepth: _depth, ports, ...plain } = rest;
  const kept = mounts.filter(isCopied);
  return {
    ...plain,
    ...cloneOf(spec),
    ...(kept.length > 0 && { mounts: kept }),
    ...(ports !== undefined && { ports }),
  };
}

/** Nothing of an address that has a secret in it, or of a form that older versions have taken. */
function cloneOf({ cloneUrl, cloneBranch, cloneDepth }: WorkspaceSpec): Partial<PortableSpec> {
  return cloneUrl !== undefined && isPortable(cloneUrl)
    ? {
        cloneUrl,
        ...(cloneBranch !== undefined && isBranchName(cloneBranch) && { cloneBranch }),
        ...(cloneDepth !== undefined && { cloneDepth }),
      }
    : {};
}

function isPortable(address: string): boolean {
  return redactAddresses(address) === address && cloneAddressProblem(address) === undefined;
}

/** One sentence for each kind of things that the file has not. */
function leftOutOf({ spec }: WorkspaceRecord): string[] {
  const { credentialFiles = [], postStart, mounts = [], docker, secretNames = [], cloneUrl } = spec;
  const shown = (sources: readonly string[]): string => sources.join(', ');
  const ofKind = (kind: Mount['kind']): string[] =>
    mounts.filter((mount) => mount.kind === kind).map(({ source }) => source);
  const readOnly = mounts.filter(({ kind, readOnly: isReadOnly }) => kind === 'volume' && isReadOnly);
  const scripts = postStart?.scripts ?? [];
  const rows: [readonly string[], string][] = [
    [secretNames, 'secret values, to be set again'],
    [readOnly.map(({ source }) => source), 'volumes that it only reads'],
    [ofKind('disk'), 'disk images of this machine'],
    [ofKind('archive'), 'archives of this machine'],
    [credentialFiles.map(({ source }) => source), 'credential files of this machine'],
    [scripts, 'scripts of this machine that run after a start'],
  ];
  return [
    ...rows
      .filter(([names]) => names.length > 0)
      .map(([names, what]) => `${names.length} ${what}: ${shown(names)}`.slice(0, maxChars)),
    ...(cloneUrl !== undefined && !isPortable(cloneUrl)
      ? ['the address that it is cloned from, which may hold a secret']
      : []),
    ...(docker === true ? ['images, containers and volumes of the Docker inside'] : []),
  ];
}

const maxChars = 10_000;
