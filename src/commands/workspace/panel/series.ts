/** What a workspace used in the last minutes, as lines to be drawn. */
import { availableParallelism } from 'node:os';
import * as vscode from 'vscode';
import { kibibyte, mebibyte } from '../../../api/rules/sizes';
import { formatBytes } from '../../../ui/sizes';
import type { Limits, WorkspaceStats } from '../../../api';

const { t } = vscode.l10n;
export const windowMs = 5 * 60_000;
/** Nothing was measured between two points that are further apart. */
const gapMs = 10_000;
/** So that a workspace that does nothing does not look busy. */
const minNetworkBytes = 10 * kibibyte;

export type Sample = Omit<WorkspaceStats, 'at'> & { atMs: number };

/** From 0 to 1: left to right, and bottom to top. */
export type Point = readonly [x: number, y: number];

export interface Series {
  id: 'cpu' | 'memory' | 'network';
  title: string;
  /** What it is now, in words; empty where nothing is known. */
  now: string;
  /** What the top of the drawing is. */
  top: string;
  /** Parts without a gap, of one or two values. */
  lines: Point[][][];
}

interface Reading {
  atMs: number;
  value: number;
}

/** Keeps what is drawn. */
export function recent(samples: readonly Sample[], nowMs: number): Sample[] {
  return samples.filter(({ atMs }) => atMs >= nowMs - windowMs && atMs <= nowMs + gapMs);
}

function partsOf(readings: readonly Reading[], top: number, nowMs: number): Point[][] {
  const parts: Point[][] = [];
  let last = -Infinity;
  for (const { atMs, value } of readings) {
    const x = 1 - (nowMs - atMs) / windowMs;
    const point: Point = [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, value / top))];
    if (atMs - last > gapMs || parts.length === 0) {
      parts.push([]);
    }
    parts.at(-1)?.push(point);
    last = atMs;
  }
  return parts;
}

/** Bytes a second between one sample and the next. A workspace that started anew counts from 0. */
function rates(samples: readonly Sample[], of: (sample: Sample) => number): Reading[] {
  return samples.slice(1).flatMap((sample, index) => {
    const before = samples[index];
    const seconds = before === undefined ? 0 : (sample.atMs - before.atMs) / 1000;
    if (before === undefined || seconds <= 0 || seconds * 1000 > gapMs) {
      return [];
    }
    return [{ atMs: sample.atMs, value: Math.max(0, of(sample) - of(before)) / seconds }];
  });
}

const most = (readings: readonly Reading[]): number => Math.max(0, ...readings.map(({ value }) => value));

/** CPU against the limit or the machine, memory against the limit or what was used most, network against that. */
export function seriesOf(samples: readonly Sample[], limits: Limits, nowMs: number): Series[] {
  const last = samples.at(-1);
  const cpus = limits.cpus ?? availableParallelism();
  const cpu = samples.map(({ atMs, cpuPercent }) => ({ atMs, value: cpuPercent }));
  const memory = samples.map(({ atMs, memoryBytes }) => ({ atMs, value: memoryBytes }));
  const limit = limits.memoryMiB === undefined ? undefined : limits.memoryMiB * mebibyte;
  const memoryTop = limit ?? Math.max(mebibyte, most(memory) * 1.25);
  const received = rates(samples, ({ networkRxBytes }) => networkRxBytes);
  const sent = rates(samples, ({ networkTxBytes }) => networkTxBytes);
  const networkTop = Math.max(minNetworkBytes, most(received), most(sent));
  const rate = (readings: readonly Reading[]): string => formatBytes(Math.round(readings.at(-1)?.value ?? 0));
  const used = last && formatBytes(last.memoryBytes);
  return [
    {
      ...{ id: 'cpu', title: t('CPU') },
      now: last === undefined ? '' : t('{0} % of one CPU', last.cpuPercent.toFixed(0)),
      top: cpus === 1 ? t('1 CPU') : t('{0} CPUs', cpus),
      lines: [partsOf(cpu, cpus * 100, nowMs)],
    },
    {
      ...{ id: 'memory', title: t('Memory') },
      now: used === undefined ? '' : limit === undefined ? used : t('{0} of {1}', used, formatBytes(limit)),
      top: formatBytes(Math.round(memoryTop)),
      lines: [partsOf(memory, memoryTop, nowMs)],
    },
    {
      ...{ id: 'network', title: t('Network') },
      now: last === undefined ? '' : t('{0}/s in, {1}/s out', rate(received), rate(sent)),
      top: t('{0}/s', formatBytes(Math.round(networkTop))),
      lines: [partsOf(received, networkTop, nowMs), partsOf(sent, networkTop, nowMs)],
    },
  ];
}
