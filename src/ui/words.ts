/** Sizes, times and states as people read them. */
import * as vscode from 'vscode';
import type { Holder, Limits, RuntimeKind, Volume, Workspace, WorkspaceState } from '../api';
import { exactMiB } from '../api/rules/sizes';
import { formatBytes } from './sizes';

const { t } = vscode.l10n;

/** What is known to be in a volume; undefined where that was not measured. */
export function usedWords({ usedBytes, usedIsAtLeast }: Volume): string | undefined {
  if (usedBytes === undefined) return undefined;
  return usedIsAtLeast === true ? t('at least {0}', formatBytes(usedBytes)) : formatBytes(usedBytes);
}

/** With a full stop, where something is to follow: words of other programs come without one. */
export function asSentence(text: string): string {
  return /[.!?…:]$/.test(text) ? text : `${text}.`;
}

/** `14:05` today, else date and time, in the user's language. */
export function time(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) {
    return iso;
  }
  const isToday = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(vscode.env.language, {
    timeStyle: 'short',
    ...(!isToday && { dateStyle: 'medium' }),
  }).format(date);
}

/** Always with the date, `2026-11-28 14:05`: for a name that stays. */
export function dateAndTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) {
    return iso;
  }
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The state as a word, for descriptions and screen readers. */
export function stateWord(state: WorkspaceState): string {
  switch (state) {
    case 'creating':
      return t('creating');
    case 'starting':
      return t('starting');
    case 'running':
      return t('running');
    case 'pausing':
      return t('pausing');
    case 'paused':
      return t('paused');
    case 'resuming':
      return t('resuming');
    case 'stopping':
      return t('stopping');
    case 'stopped':
      return t('stopped');
    case 'archiving':
      return t('archiving');
    case 'archived':
      return t('archived');
    case 'restoring':
      return t('restoring');
    case 'recovering':
      return t('recovering');
    case 'error':
      return t('error');
    case 'deleting':
      return t('deleting');
  }
}

/** What whoever has a volume does, as a word. */
export function holderStateWord(state: Holder['state']): string {
  return state === 'unknown' ? t('unknown') : stateWord(state);
}

export interface RuntimeWords {
  /** In a sentence. */
  name: string;
  /** At the head of a choice or a group. */
  title: string;
  plural: string;
  icon: string;
  /** What it is good for. */
  detail: string;
  /** Without limits of the user's own: in a sentence, and at the head of a choice. */
  unlimited: string;
  unlimitedTitle: string;
  /** What Docker inside takes. */
  dockerInside: string;
  withDocker: string;
}

const runtimeTable: Record<RuntimeKind, () => RuntimeWords> = {
  container: () => ({
    name: t('container'),
    title: t('Container'),
    plural: t('Containers'),
    icon: 'package',
    detail: t("Starts at once and shares this machine's kernel and memory."),
    unlimited: t('no limits'),
    unlimitedTitle: t('No limits'),
    dockerInside: t(
      'Its own Docker daemon and data volume. The container becomes privileged: run only software that you trust.',
    ),
    withDocker: t('yes, privileged'),
  }),
  microvm: () => ({
    name: t('microVM'),
    title: t('MicroVM'),
    plural: t('MicroVMs'),
    icon: 'vm',
    detail: t('A small virtual machine with its own kernel: better isolated from this machine.'),
    unlimited: t('default size'),
    unlimitedTitle: t('Default size'),
    dockerInside: t(
      'Its own Docker daemon and data disk. The microVM has its own kernel: this gives no rights on this machine.',
    ),
    withDocker: t('yes'),
  }),
};

/** Display words for a kind of runtime. */
export function runtimeWords(runtime: RuntimeKind): RuntimeWords {
  return runtimeTable[runtime]();
}

/** `one`, `one and two`, `one, two and 3 more`: names for a sentence. */
export function names(list: readonly string[], shown = 3): string {
  if (list.length <= shown) {
    return list.join(', ');
  }
  return t('{0} and {1} more', list.slice(0, shown).join(', '), list.length - shown);
}

/** `2 CPUs, 4 GiB`; without limits, what that means for the runtime. */
export function limitsWords({ cpus, memoryMiB, pids, shmMiB }: Limits, runtime: RuntimeKind): string {
  const words = [
    cpus === undefined ? undefined : cpus === 1 ? t('1 CPU') : t('{0} CPUs', cpus),
    memoryMiB === undefined ? undefined : exactMiB(memoryMiB),
    pids === undefined ? undefined : t('{0} processes', pids),
    shmMiB === undefined ? undefined : t('{0} shared memory', exactMiB(shmMiB)),
  ].filter((word) => word !== undefined);
  return words.length === 0 ? runtimeWords(runtime).unlimited : words.join(', ');
}

/** A workspace's own volumes are named after it, which is said above them already: what they are for tells them apart. */
export function volumeWord(volume: string, workspace: Workspace | undefined): string {
  switch (volume) {
    case workspace?.homeVolume:
      return t('Home');
    case workspace?.dockerVolume:
      return t('Docker data');
    default:
      return volume;
  }
}
