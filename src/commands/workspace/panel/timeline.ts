/** The snapshots of a workspace's volumes as a timeline, newest first, and what can be done with them. */
import * as vscode from 'vscode';
import type { Snapshot, Volume, Workspace } from '../../../api';
import { formatBytes } from '../../../ui/sizes';
import { canBeKept, canBeRestored, canHaveSnapshots } from '../../../api/snapshots/possible';
import type { EngineClient } from '../../../client/engine-client';
import { reasonWords, snapshotTitle } from '../../../providers/trees/volume-snapshots';
import type { CommandId } from '../../../ui/contributions/commands';
import { time, volumeWord } from '../../../ui/words';

const { t } = vscode.l10n;
/** What is older is in the Volumes view. */
const maxShown = 30;
const minuteMs = 60_000;

export interface TimelineButton {
  command: CommandId;
  title: string;
  /** For who does not see beside what it is. */
  label: string;
  /** Why it can't be pressed now. */
  hindrance?: string;
}

export interface TimelineEntry {
  id: string;
  title: string;
  age: string;
  /** The time itself, in words. */
  when: string;
  /** Of which volume it is, how large, and why it was made. */
  words: string;
  buttons: TimelineButton[];
}

export interface Timeline {
  entries: TimelineEntry[];
  /** That there are more; empty when all are shown. */
  rest: string;
  /** Of the button that makes another one; absent where none can be made now. */
  make?: string;
}

type Find = (name: string) => Volume | undefined;

/** Its volumes that there can be snapshots of, home first. */
export function keptVolumes({ homeVolume, dockerVolume, spec }: Workspace, find: Find): Volume[] {
  const mounted = (spec.mounts ?? []).filter(({ kind }) => kind === 'volume').map(({ source }) => source);
  const all = new Set([homeVolume, ...(dockerVolume === undefined ? [] : [dockerVolume]), ...mounted]);
  const known = [...all].map(find).filter((volume) => volume !== undefined);
  return known.filter(canHaveSnapshots);
}

/** Asks for the snapshots of these volumes, newest first. */
export async function snapshotsOf(client: EngineClient, volumes: readonly Volume[]): Promise<Snapshot[]> {
  const lists = await Promise.all(
    volumes.map(({ name }) => client.call('snapshots.list', { params: { volume: name } })),
  );
  return lists.flat().sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

/** `3 hours ago`, in the language of the window. */
export function ageWords(iso: string, nowMs: number): string {
  const minutes = Math.max(0, Math.round((nowMs - Date.parse(iso)) / minuteMs));
  const format = new Intl.RelativeTimeFormat(vscode.env.language, { numeric: 'auto' });
  if (minutes < 1) {
    return t('just now');
  }
  const units = [
    ['year', 365 * 24 * 60],
    ['month', 30 * 24 * 60],
    ['day', 24 * 60],
    ['hour', 60],
  ] as const;
  const [unit, size] = units.find((each) => minutes >= each[1]) ?? (['minute', 1] as const);
  return format.format(-Math.floor(minutes / size), unit);
}

/** Ready to be drawn. */
export function timelineOf(
  workspace: Workspace,
  snapshots: readonly Snapshot[],
  volumes: readonly Volume[],
  nowMs: number,
): Timeline {
  const rest = snapshots.length - maxShown;
  return {
    entries: snapshots.slice(0, maxShown).map((each) => entryOf(workspace, each, volumes, nowMs)),
    rest: rest > 0 ? t('… and {0} more', rest) : '',
    ...(volumes.some(canBeKept) && { make: t('Snapshot…') }),
  };
}

function entryOf(
  workspace: Workspace,
  snapshot: Snapshot,
  volumes: readonly Volume[],
  nowMs: number,
): TimelineEntry {
  const title = snapshotTitle(snapshot);
  const of = volumeWord(snapshot.volume, workspace);
  const why = reasonWords(snapshot.reason);
  const description = snapshot.description === undefined ? [] : [snapshot.description];
  return {
    id: snapshot.id,
    title,
    age: ageWords(snapshot.createdAt, nowMs),
    when: time(snapshot.createdAt),
    words: [of, formatBytes(snapshot.usedBytes), ...why, ...description].join(' · '),
    buttons: buttonsOf(
      workspace,
      title,
      of,
      volumes.find(({ name }) => name === snapshot.volume),
    ),
  };
}

function buttonsOf(
  { label, state }: Workspace,
  title: string,
  of: string,
  volume: Volume | undefined,
): TimelineButton[] {
  const isRestorable = volume !== undefined && canBeRestored(volume);
  const hindrance =
    state === 'stopped'
      ? t('The volume is in use.')
      : t('Stop {0} first: nobody may use it meanwhile.', label);
  return [
    {
      command: 'berth.volume.browseSnapshot',
      title: t('Browse'),
      label: t('Browse snapshot {0} of {1}', title, of),
    },
    {
      command: 'berth.volume.restoreSnapshot',
      title: t('Restore'),
      label: t('Restore {0} from snapshot {1}', of, title),
      ...(!isRestorable && { hindrance }),
    },
    {
      command: 'berth.volume.deleteSnapshot',
      title: t('Delete'),
      label: t('Delete snapshot {0} of {1}', title, of),
    },
  ];
}
