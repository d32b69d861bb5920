/** What the page of storage shows: the disk, volumes, images and archived workspaces by size, in words and as shares of the largest. */
import * as vscode from 'vscode';
import type { Cache, Image, Snapshot, Volume, Workspace } from '../../api';
import type { TrashItem } from '../../api/trash/schemas';
import { gibibyte, mebibyte } from '../../api/rules/sizes';
import { formatBytes } from '../../ui/sizes';
import { isOfOthers, sortVolumes } from '../../providers/trees/arrange';
import { natureWords, sizeWord, volumeLabel } from '../../providers/trees/volume-item';
import { names, time, usedWords } from '../../ui/words';
import { cachesSection } from './caches';
import { trashSection } from './trash';
import { byVolume, snapshotBytes, snapshotsSection } from './snapshots';

const { t } = vscode.l10n;
/** Of one section, until somebody asks for the others. */
export const shownAtFirst = 12;
const lowBytes = 2 * gibibyte;

export const sectionIds = [
  'volumes',
  'snapshots',
  'trash',
  'images',
  'archives',
  'caches',
  'foreign',
] as const;
export type SectionId = (typeof sectionIds)[number];

export interface StorageBar {
  /** The name of a volume (whose snapshots it may be) or of a workspace, or the id of an image or a cache. */
  id: string;
  title: string;
  /** What it is, and who uses it. */
  detail: string;
  amount: string;
  /** Of the largest on the page, from 0 to 1; absent where nobody knows. */
  share?: number;
  /** The workspace whose it is: its panel has the rest. */
  workspace?: { name: string; words: string };
}

export interface StorageSection {
  id: SectionId;
  title: string;
  /** Their number and size; or why there is nothing to be seen. */
  summary: string;
  bars: StorageBar[];
  /** What shows those that are left out. */
  more?: { title: string; amount: string };
  /** What measures the volumes of this section. */
  measure?: string;
  /** What removes all of it that is not in use. */
  clean?: string;
}

export interface Disk {
  path: string;
  freeBytes: number;
  totalBytes: number;
  /** Other machines, whose disks nobody looked at. */
  others: readonly string[];
}

export interface StorageFacts {
  disk?: { words: string; detail: string; share: number; isLow: boolean };
  sections: StorageSection[];
  /** What is being measured; absent: nothing. */
  measuring?: string;
  /** What could not be measured. */
  problem?: string;
  /** There is nothing that a workspace could have left: how one is made. */
  isEmpty: boolean;
}

/** Images that were listed, or why they could not be; undefined until then. */
export type ListedImages = { list: readonly Image[] } | { problem: string } | undefined;

export interface StorageInput {
  volumes: readonly Volume[];
  workspaces: readonly Workspace[];
  images: ListedImages;
  disk: Disk | undefined;
  snapshots?: readonly Snapshot[];
  trash?: readonly TrashItem[];
  /** What is kept to be quicker the next time. */
  caches?: readonly Cache[];
  /** Whether volumes of other tools and installations are to be seen. */
  showsForeign: boolean;
  /** The sections that show all. */
  whole: ReadonlySet<SectionId>;
  measuring?: { name: string; at: number; of: number } | undefined;
  failed?: readonly string[];
}

/** One of these is measured when a section is. */
export function measurable(volumes: readonly Volume[], section: SectionId): Volume[] {
  if (section !== 'volumes' && section !== 'foreign') {
    return [];
  }
  const ofSection = volumes.filter((volume) => isOfOthers(volume) === (section === 'foreign'));
  const open = ofSection.filter(({ owner }) => owner === undefined);
  const unknown = open.filter(({ usedBytes }) => usedBytes === undefined);
  return unknown.length > 0 ? unknown : open;
}

/** All that is shown. */
export function storageFacts(input: StorageInput): StorageFacts {
  const { disk, measuring, failed = [], volumes } = input;
  const own = volumes.filter((volume) => !isOfOthers(volume));
  const foreign = input.showsForeign ? volumes.filter(isOfOthers) : [];
  const listed = input.images !== undefined && 'list' in input.images ? input.images.list : [];
  const shownBytes = [...own, ...foreign].map(({ usedBytes }) => usedBytes ?? 0);
  const archives = archivesOf(input.workspaces);
  const { caches = [], trash = [] } = input;
  // Those of the trash are shown there.
  const snapshots = (input.snapshots ?? []).filter(({ reason }) => reason !== 'trash');
  const largest = Math.max(
    1,
    ...shownBytes,
    ...listed.map(({ sizeBytes }) => sizeBytes),
    ...archives.map(({ bytes }) => bytes),
    ...caches.map(({ bytes }) => bytes),
    ...byVolume(snapshots).map(snapshotBytes),
    ...trash.map(({ usedBytes }) => usedBytes),
  );
  const titleOf = (name: string): string => {
    const volume = volumes.find((each) => each.name === name);
    return volume === undefined ? name : volumeLabel(volume, ownerOf(volume, input.workspaces) !== undefined);
  };
  const sections = [
    volumesSection('volumes', own, input, largest),
    ...[snapshotsSection(snapshots, titleOf, largest)].filter((section) => section !== undefined),
    ...[trashSection(trash, largest)].filter((section) => section !== undefined),
    imagesSection(input, largest),
    ...(archives.length === 0 ? [] : [archivesSection(archives, input, largest)]),
    ...[cachesSection(caches, largest)].filter((section) => section !== undefined),
    ...(foreign.length === 0 ? [] : [volumesSection('foreign', foreign, input, largest)]),
  ];
  return {
    ...(disk !== undefined && { disk: diskFacts(disk) }),
    sections,
    ...(measuring !== undefined && {
      measuring: t('Measuring {0} ({1} of {2})…', measuring.name, measuring.at, measuring.of),
    }),
    ...(failed.length > 0 && { problem: t('Could not be measured: {0}', names(failed)) }),
    isEmpty: own.length === 0,
  };
}

function diskFacts({ path, freeBytes, totalBytes, others }: Disk) {
  const free = formatBytes(freeBytes);
  const place = t('The disk of {0}', path);
  return {
    words: t('{0} free of {1}', free, formatBytes(totalBytes)),
    detail:
      others.length === 0
        ? place
        : t('{0}. That of {1}, with its images and volumes, was not measured.', place, names(others)),
    share: totalBytes === 0 ? 0 : Math.min(1, Math.max(0, 1 - freeBytes / totalBytes)),
    isLow: freeBytes < lowBytes,
  };
}

function volumesSection(
  id: 'volumes' | 'foreign',
  volumes: readonly Volume[],
  { workspaces, whole }: StorageInput,
  largest: number,
): StorageSection {
  const sorted = sortVolumes(volumes, 'size');
  const known = sorted.filter(({ usedBytes }) => usedBytes !== undefined);
  const toMeasure = measurable(volumes, id);
  const count = sorted.length === 1 ? t('1 volume') : t('{0} volumes', sorted.length);
  const unknown = sorted.length - known.length;
  const summary = [
    count,
    known.length === 0 ? undefined : formatBytes(bytesOf(known)),
    unknown === 0
      ? undefined
      : unknown === sorted.length
        ? t('not measured yet')
        : t('{0} not measured yet', unknown),
  ];
  const isAgain = toMeasure.every(({ usedBytes }) => usedBytes !== undefined);
  return {
    id,
    title: id === 'volumes' ? t('Volumes') : t('Volumes of other tools'),
    summary:
      sorted.length === 0
        ? t('There is no volume yet.')
        : summary.filter((word) => word !== undefined).join(' · '),
    ...cut(
      sorted,
      whole.has(id),
      (volume) => volumeBar(volume, workspaces, largest),
      (rest) => {
        const sum = bytesOf(rest);
        return sum === 0 ? t('not measured yet') : formatBytes(sum);
      },
    ),
    ...(toMeasure.length > 0 && { measure: isAgain ? t('Measure Again') : t('Measure') }),
  };
}

const bytesOf = (volumes: readonly Volume[]): number =>
  volumes.reduce((sum, { usedBytes }) => sum + (usedBytes ?? 0), 0);

/** The first ones, and what is left out as one. */
function cut<T>(
  all: readonly T[],
  isWhole: boolean,
  toBar: (each: T) => StorageBar,
  amount: (rest: readonly T[]) => string,
): Pick<StorageSection, 'bars' | 'more'> {
  // One row more is as much as the one that shows it.
  const shown = isWhole || all.length <= shownAtFirst + 1 ? all : all.slice(0, shownAtFirst);
  const rest = all.slice(shown.length);
  return {
    bars: shown.map(toBar),
    ...(rest.length > 0 && { more: { title: t('Show {0} others', rest.length), amount: amount(rest) } }),
  };
}

/** The workspace of this installation that has it to itself. */
const ownerOf = ({ name, owner }: Volume, workspaces: readonly Workspace[]): Workspace | undefined =>
  owner === undefined
    ? workspaces.find(({ homeVolume, dockerVolume }) => homeVolume === name || dockerVolume === name)
    : undefined;

function volumeBar(volume: Volume, workspaces: readonly Workspace[], largest: number): StorageBar {
  const owner = ownerOf(volume, workspaces);
  const isOwned = owner !== undefined;
  const users = workspaces.filter(({ spec }) =>
    (spec.mounts ?? []).some(({ source }) => source === volume.name),
  );
  const usedBy = users.length === 0 ? [] : [t('used by {0}', names(users.map(({ label }) => label)))];
  const size = volume.sizeMiB === undefined ? undefined : formatBytes(volume.sizeMiB * mebibyte);
  return {
    id: volume.name,
    title: volumeLabel(volume, isOwned),
    detail: [...natureWords(volume, isOwned), ...usedBy].join(' · '),
    amount:
      usedWords(volume) !== undefined
        ? (sizeWord(volume) ?? '')
        : size === undefined
          ? t('not measured yet')
          : t('up to {0}, not measured yet', size),
    ...(volume.usedBytes !== undefined && { share: Math.min(1, volume.usedBytes / largest) }),
    ...(isOwned && { workspace: { name: owner.name, words: t('Panel of {0}', owner.label) } }),
  };
}

/** What an image is called: by its first name. */
export function imageTitle({ tags, id }: Image): string {
  return tags[0] ?? id.replace(/^sha256:/, '').slice(0, 12);
}

/** Those of workspaces first, then by size. */
function sortImages(images: readonly Image[]): Image[] {
  const rank = ({ usedBy }: Image): number => (usedBy.length > 0 ? 0 : 1);
  return [...images].sort((a, b) => rank(a) - rank(b) || b.sizeBytes - a.sizeBytes);
}

function imagesSection({ images, whole }: StorageInput, largest: number): StorageSection {
  const base = { id: 'images', title: t('Images'), bars: [] } as const;
  if (images === undefined) {
    return { ...base, bars: [], summary: t('Listing images…') };
  }
  if ('problem' in images) {
    return { ...base, bars: [], summary: images.problem };
  }
  const sorted = sortImages(images.list);
  const bytes = (all: readonly Image[]): string =>
    formatBytes(all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const count = sorted.length === 1 ? t('1 image') : t('{0} images', sorted.length);
  return {
    ...base,
    summary:
      sorted.length === 0
        ? t('There is no image yet.')
        : sorted.length === 1
          ? `${count} · ${bytes(sorted)}`
          : t('{0} · up to {1}: they may share layers', count, bytes(sorted)),
    ...cut(sorted, whole.has('images'), (image) => imageBar(image, largest), bytes),
  };
}

function imageBar(image: Image, largest: number): StorageBar {
  const { usedBy, tags, sizeBytes } = image;
  const also = tags.length > 1 ? [t('also {0}', names(tags.slice(1)))] : [];
  const used = usedBy.length === 0 ? t('no workspace uses it') : t('used by {0}', names(usedBy));
  return {
    id: image.id,
    title: imageTitle(image),
    detail: [used, ...also].join(' · '),
    amount: formatBytes(sizeBytes),
    share: Math.min(1, sizeBytes / largest),
  };
}

interface Archive {
  workspace: Workspace;
  /** What it has set aside outside of its volumes. */
  bytes: number;
}

/** The largest first. */
function archivesOf(workspaces: readonly Workspace[]): Archive[] {
  const archived = workspaces.filter(({ state }) => state === 'archived');
  const all = archived.flatMap((workspace): Archive[] =>
    workspace.ownFiles === undefined ? [] : [{ workspace, bytes: workspace.ownFiles.bytes }],
  );
  return all.sort((a, b) => b.bytes - a.bytes);
}

function archivesSection(
  archives: readonly Archive[],
  { whole }: StorageInput,
  largest: number,
): StorageSection {
  const sum = (all: readonly Archive[]): string =>
    formatBytes(all.reduce((bytes, archive) => bytes + archive.bytes, 0));
  const count = archives.length === 1 ? t('1 workspace') : t('{0} workspaces', archives.length);
  const toBar = ({ workspace: { name, label, ownFiles }, bytes }: Archive): StorageBar => ({
    ...{ id: name, title: label, amount: formatBytes(bytes), share: Math.min(1, bytes / largest) },
    detail: ownFiles === undefined ? '' : t('archived, measured {0}', time(ownFiles.measuredAt)),
  });
  return {
    ...{ id: 'archives', title: t('Archived workspaces') },
    summary: t('{0} · {1} outside of volumes', count, sum(archives)),
    ...cut(archives, whole.has('archives'), toBar, sum),
  };
}
