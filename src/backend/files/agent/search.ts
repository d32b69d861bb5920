/** Looking for text in many files: what the agent is asked, and what it may answer (images/tools/agent/search.py). */
import { BerthError } from '../../../api/errors';
import type { TextOfFiles, TextPiece, TextQuery } from '../volume-files';
import type { Reply } from './channel';
import { numberOf } from './replies';

/** The fields of the request. */
export function searchFields(
  paths: readonly string[],
  { needle, anyCase, maxFileBytes }: TextQuery,
): Readonly<Record<string, unknown>> {
  return { paths, needle: needle ?? null, any_case: anyCase, max_bytes: maxFileBytes };
}

/** Throws `internal` for an answer that none can be: an agent inside of a workspace says what its guest wants. */
export function textOfFiles(paths: readonly string[], { ok, payload }: Reply): TextOfFiles {
  const done = wholeOf(ok.done, 1, paths.length);
  let at = 0;
  const piece = ([line, length]: readonly unknown[]): TextPiece => {
    const from = at;
    at += wholeOf(length, 0, payload.length - from);
    return { line: wholeOf(line, 1, Number.MAX_SAFE_INTEGER), content: payload.subarray(from, at) };
  };
  const files = rowsOf(ok.files).map(([place, pieces]) => {
    const path = paths[wholeOf(place, 0, done - 1)] ?? '';
    return { path, pieces: rowsOf(pieces).map(piece) };
  });
  return {
    done,
    files,
    searched: wholeOf(ok.searched, 0, done),
    binary: wholeOf(ok.binary, 0, done),
    tooLarge: wholeOf(ok.too_large, 0, done),
    unread: wholeOf(ok.unread, 0, done),
  };
}

function rowsOf(value: unknown): readonly (readonly unknown[])[] {
  if (!Array.isArray(value) || !value.every((row): row is unknown[] => Array.isArray(row))) {
    throw unexpected();
  }
  return value;
}

function wholeOf(value: unknown, min: number, max: number): number {
  const number = numberOf(value, 'a number');
  if (!Number.isSafeInteger(number) || number < min || number > max) {
    throw unexpected();
  }
  return number;
}

function unexpected(): BerthError {
  return new BerthError('internal', "The volume's agent answered a search with what none can be.");
}
