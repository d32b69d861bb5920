/** The progress of an operation in a few words and as a fraction. */
import * as vscode from 'vscode';
import type { Operation } from '../api';
import { bytes } from './words';

const { t } = vscode.l10n;

/** E.g. `Wait for SSH (3/5)`, `Delete (2/2), 120 of 5000 files`, `12.0 MB of 40.0 MB, 8.1 MB/s`. */
export function progressText(operation: Operation): string {
  const { progress, steps } = operation;
  if (progress?.unit === 'bytes') {
    return bytesText(progress.done, progress.total, progress.rate, progress.current);
  }
  const index = steps.findIndex(({ outcome }) => outcome === 'running');
  const step = steps[index];
  return [
    step && t('{0} ({1}/{2})', step.title, index + 1, steps.length),
    progress?.unit === 'files' ? filesText(progress.done, progress.total) : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

const filesText = (done: number, total?: number): string =>
  total === undefined ? t('{0} files', done) : t('{0} of {1} files', done, total);

function bytesText(done: number, total?: number, rate?: number, current?: string): string {
  const amount =
    total === undefined || total === 0 ? bytes(done) : t('{0} of {1}', bytes(done), bytes(total));
  const speed = rate === undefined ? undefined : t('{0}/s', bytes(rate));
  return [current, amount, speed].filter((part) => part !== undefined && part !== '').join(', ');
}

/** How much is done, 0 to 100; undefined when it can't be known. */
export function percent(operation: Operation): number | undefined {
  const { progress, steps } = operation;
  if (progress?.total !== undefined && progress.total > 0) {
    return Math.min(100, (progress.done / progress.total) * 100);
  }
  if (steps.length === 0) {
    return undefined;
  }
  const ended = steps.filter(({ outcome }) => outcome !== 'pending' && outcome !== 'running').length;
  return (ended / steps.length) * 100;
}
