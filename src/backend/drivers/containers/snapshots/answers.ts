/** What the program that works on snapshots answers, in words and facts. */
import { quote } from '../../../../api/rules/volume-path';
import type { SnapshotCheck, SnapshotFacts, SnapshotJob } from '../../contract/snapshots';
import type { Frozen } from '../runtime/freezes';
import type { Answer } from './program';

/** Of a path in a note. */
const shownChars = 300;

/** How far it has come, where the answer says so. */
export function report(answer: Answer, job: SnapshotJob, total = 0): void {
  if (typeof answer.progress === 'number') {
    job.report(answer.progress, Math.max(total, answer.progress));
  }
}

/** Of a snapshot that was made. `others`: containers that are not ours to hold. */
export function factsOf(done: unknown, frozen: Frozen<unknown>, others: readonly string[]): SnapshotFacts {
  const { used } = isRecord(done) ? done : {};
  const notes = [
    ...frozen.failed.map(({ name, reason }) => `${name} was not held still meanwhile: ${reason}`),
    ...others.map((name) => `the container ${name}, which Berth did not make, may have written meanwhile`),
    ...lossesOf(done),
  ];
  return {
    kind: 'docker',
    isShared: false,
    usedBytes: typeof used === 'number' ? used : 0,
    heldMs: frozen.heldMs,
    ...(notes.length > 0 && { notes }),
  };
}

/** What could not be kept, in words. */
export function lossesOf(done: unknown): string[] {
  return isRecord(done) && Array.isArray(done.left) ? done.left.flatMap(lossWords) : [];
}

/** `[what, how many, where first]`. */
function lossWords(row: unknown): string[] {
  const [what, count, first] = Array.isArray(row) ? (row as unknown[]) : [];
  return typeof what === 'string' && typeof count === 'number'
    ? [`${count} × ${what} could not be kept, first of ${quote(String(first).slice(0, shownChars))}`]
    : [];
}

/** Whether it has fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What a check has found. */
export function checkOf(done: unknown): SnapshotCheck {
  const { checked, read, damaged, problems } = isRecord(done) ? done : {};
  const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
  return {
    ...{ checked: count(checked), read: count(read), damaged: count(damaged) },
    problems: (Array.isArray(problems) ? problems : []).flatMap((row: unknown) => {
      const [path, what] = Array.isArray(row) ? (row as unknown[]) : [];
      return typeof path === 'string' && typeof what === 'string' ? [{ path, what }] : [];
    }),
  };
}

/** What each snapshot takes, by its id. */
export function heldBy({ done }: Answer): ReadonlyMap<string, number> {
  const held: unknown = isRecord(done) ? done.held : undefined;
  const rows = Object.entries(isRecord(held) ? held : {});
  return new Map(rows.flatMap(([id, bytes]) => (typeof bytes === 'number' ? [[id, bytes]] : [])));
}
