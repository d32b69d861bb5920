/** The progress of an operation in a few words and as a fraction. */
import * as vscode from 'vscode';
import { formatBytes } from './sizes';
import type { Operation, Progress } from '../api';
import { engineWords } from './operations/engine-words';

const { t } = vscode.l10n;

/** A copy: what it is about is how much has been copied, not the parts of it. */
const isCopy = ({ kind }: Operation): boolean => kind === 'transfer';

/**
 * E.g. `Boot (4/5)`, `Delete (2/2), 120 of 5000 files`, `Prepare the image (2/6), 12 MiB of 40 MiB`, and of a copy
 * `12 MiB of 40 MiB, 8.1 MiB/s`.
 */
export function progressText(operation: Operation): string {
  const { progress, steps } = operation;
  if (progress?.unit === 'bytes' && isCopy(operation)) {
    return amountText(progress);
  }
  const index = steps.findIndex(({ outcome }) => outcome === 'running');
  const step = steps[index];
  return [step && t('{0} ({1}/{2})', engineWords(step.title), index + 1, steps.length), amountText(progress)]
    .filter((part) => part !== undefined && part !== '')
    .join(', ');
}

/** E.g. `120 of 5000 files`; empty for what is not counted. */
export function amountText(progress: Progress | undefined): string {
  switch (progress?.unit) {
    case 'bytes':
      return bytesText(progress.done, progress.total, progress.rate, engineWords(progress.current ?? ''));
    case 'files':
      return filesText(progress.done, progress.total);
    default:
      return '';
  }
}

const filesText = (done: number, total?: number): string =>
  total === undefined ? t('{0} files', done) : t('{0} of {1} files', done, total);

/** What goes on when all bytes are there is not counted in them: then it is named, or nothing but the amount is known. */
function bytesText(done: number, total = 0, rate?: number, current = ''): string {
  if (total > 0 && done >= total && current !== '') {
    return current;
  }
  const amount = total === 0 ? formatBytes(done) : t('{0} of {1}', formatBytes(done), formatBytes(total));
  const speed = rate === undefined ? undefined : t('{0}/s', formatBytes(rate));
  return [current, amount, speed].filter((part) => part !== undefined && part !== '').join(', ');
}

/** How much is done, 0 to 100; undefined when it can't be known. */
export function percent(operation: Operation): number | undefined {
  const { progress, steps } = operation;
  const { done = 0, total = 0 } = progress ?? {};
  const part = total > 0 ? Math.min(1, done / total) : 0;
  if (total > 0 && (steps.length === 0 || isCopy(operation))) {
    return part * 100;
  }
  if (steps.length === 0) {
    return undefined;
  }
  const ended = steps.filter(({ outcome }) => outcome !== 'pending' && outcome !== 'running').length;
  return (Math.min(ended + part, steps.length) / steps.length) * 100;
}
