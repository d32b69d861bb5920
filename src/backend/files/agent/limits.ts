/**
 * How long an answer of an agent may be: an agent that is out of step, or not ours any more, must not fill the engine's
 * memory with what nobody asked for.
 */
import { kibibyte, mebibyte } from '../../../api/rules/sizes';

/** What comes unasked: a greeting, progress. And the head of every answer. */
export const headLimit = 64 * kibibyte;
/** A thousand changes with paths of any length. */
export const changesLimit = 32 * mebibyte;
/** Two files of the size that is searched at most, and where their lines are. */
const searchLimit = 40 * mebibyte;
/** Lists of what was skipped, renamed or has failed. */
const reportLimit = 64 * mebibyte;
/** A row of a folder is short; links may have long targets. */
const rowLimit = 512;
const linksLimit = 16 * mebibyte;
export const maxRows = 1_000_000;

/** A head up to that has no more in it than its bytes are worth. */
export const plainHead = mebibyte;
/** Rows, and what else is a list or has fields. */
export const maxLists = maxRows + 1024;
/** A row has ten values at most. */
export const maxValues = 10 * maxRows + 1024;

const lengthOf = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

/** Bytes of the longest answer to a request. */
export function limitOf(op: string, fields: Readonly<Record<string, unknown>>): number {
  switch (op) {
    case 'read':
      return headLimit + lengthOf(fields.chunk);
    case 'pread':
      return headLimit + lengthOf(fields.length);
    case 'list':
      return linksLimit + rowLimit * Math.min(lengthOf(fields.limit) || maxRows, maxRows);
    case 'search':
      return searchLimit;
    default:
      return reportLimit;
  }
}
