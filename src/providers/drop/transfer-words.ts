/** What became of a transfer, in a sentence. The counts come from the operation's `result`. */
import * as vscode from 'vscode';
import { formatBytes } from '../../ui/sizes';
import type { Operation } from '../../api';
import { resultOf } from '../../api/rules/results';

const { t } = vscode.l10n;

export interface TransferCounts {
  files: number;
  bytes: number;
  skipped: string[];
  failed: string[];
  renamed: number;
  /** What the way there could not carry, a sentence each. */
  notes?: string[];
}

const line = ({ path, reason }: { path: string; reason: string }): string => `${path}: ${reason}`;

/** The counts of a transfer that has succeeded. Throws `internal` for another operation. */
export function countsOf(operation: Operation): TransferCounts {
  const { files, bytes, skipped, failed, renamed } = resultOf(operation, 'transfer');
  return {
    ...{ files, bytes, skipped: skipped.map(line), failed: failed.map(line) },
    renamed: renamed.length,
  };
}

/** Something was to be copied and was not. What the user chose to skip does not count. */
export function isPartial({ failed }: TransferCounts): boolean {
  return failed.length > 0;
}

const amountOf = ({ files, bytes }: TransferCounts): string => {
  const count = files === 1 ? t('1 file') : t('{0} files', files);
  // What was skipped is counted in the bytes that were looked at.
  return bytes > 0 && files > 0 ? t('{0} ({1})', count, formatBytes(bytes)) : count;
};

/** E.g. `Copied 3 files (1.2 MiB) to demo:/src; 1 skipped`. */
export function transferWords(verb: 'copied' | 'moved', counts: TransferCounts, target: string): string {
  const amount = amountOf(counts);
  const head =
    verb === 'moved' ? t('Moved {0} to {1}', amount, target) : t('Copied {0} to {1}', amount, target);
  return withRest(head, counts);
}

/** E.g. `3 files (1.2 MiB); 1 skipped`, where it is not known what was done with them. */
export function transferCounts(counts: TransferCounts): string {
  return withRest(amountOf(counts), counts);
}

function withRest(head: string, { renamed, skipped, failed }: TransferCounts): string {
  return [
    head,
    renamed > 0 ? t('{0} renamed', renamed) : undefined,
    skipped.length > 0 ? t('{0} skipped', skipped.length) : undefined,
    failed.length > 0 ? t('{0} failed', failed.length) : undefined,
  ]
    .filter((word) => word !== undefined)
    .join('; ');
}
