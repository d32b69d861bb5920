/** What became of a transfer, in a sentence. The counts come from the operation's `result`. */
import * as vscode from 'vscode';
import type { Operation } from '../../api';
import { bytes } from '../words';

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

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** `{path, reason}` or a bare path, as a line. */
function line(value: unknown): string {
  if (!isRecord(value)) {
    return String(value);
  }
  const reason = typeof value.reason === 'string' ? `: ${value.reason}` : '';
  return `${typeof value.path === 'string' ? value.path : '?'}${reason}`;
}

const lines = (value: unknown): string[] => (Array.isArray(value) ? value.map(line) : []);
const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

export function countsOf({ result = {} }: Operation): TransferCounts {
  return {
    files: count(result.files),
    bytes: count(result.bytes),
    skipped: lines(result.skipped),
    failed: lines(result.failed),
    renamed: Array.isArray(result.renamed) ? result.renamed.length : 0,
  };
}

export function isPartial({ skipped, failed }: TransferCounts): boolean {
  return skipped.length > 0 || failed.length > 0;
}

/** E.g. `Copied 3 files (1.2 MB) to demo:/src; 1 skipped`. */
export function transferWords(verb: 'copied' | 'moved', counts: TransferCounts, target: string): string {
  const files = counts.files === 1 ? t('1 file') : t('{0} files', counts.files);
  const amount = counts.bytes > 0 ? t('{0} ({1})', files, bytes(counts.bytes)) : files;
  const head =
    verb === 'moved' ? t('Moved {0} to {1}', amount, target) : t('Copied {0} to {1}', amount, target);
  return [
    head,
    counts.renamed > 0 ? t('{0} renamed', counts.renamed) : undefined,
    counts.skipped.length > 0 ? t('{0} skipped', counts.skipped.length) : undefined,
    counts.failed.length > 0 ? t('{0} failed', counts.failed.length) : undefined,
  ]
    .filter((word) => word !== undefined)
    .join('; ');
}
