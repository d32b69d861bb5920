/** Which lines of a text match what is looked for. */
import { BerthError } from '../../../../api/errors';
import type { FindQuery, FoundLine } from '../../../../api/files/find';
import type { TextPiece } from '../../../files/volume-files';
import { withinTime } from '../../../machine/within-time';

const maxTextLength = 400;
const shownBefore = 100;
/** For one file: no expression that is meant takes so long. The engine answers nobody else meanwhile. */
const maxMs = 500;

export type FoundInFile = Omit<FoundLine, 'path'>;
/** The lines of one file that match, at most so many. Throws `bad_request` for an expression that takes too long. */
export type LineMatcher = (pieces: readonly TextPiece[], limit: number) => FoundInFile[];

/** Throws `bad_request` for an expression that is none. */
export function lineMatcher({ text = '', regex, caseSensitive, word }: FindQuery): LineMatcher {
  const isRegex = regex === true;
  const expression = compile(isRegex ? text : escaped(text), caseSensitive === true, word === true);
  const find: LineMatcher = (pieces, limit) => {
    const found: FoundInFile[] = [];
    for (const piece of pieces) {
      found.push(...linesOf(piece, expression, limit - found.length));
    }
    return found;
  };
  return (pieces, limit) => {
    if (!isRegex) {
      return find(pieces, limit);
    }
    const answer = withinTime(maxMs, () => find(pieces, limit));
    if (answer === undefined) {
      throw new BerthError('bad_request', 'The regular expression takes too long.', {
        field: 'text',
        hint: 'Nest no repetitions, as in (a+)+.',
      });
    }
    return answer.value;
  };
}

function compile(source: string, isCaseSensitive: boolean, isWord: boolean): RegExp {
  const letter = '[\\p{L}\\p{N}_]';
  const whole = isWord ? `(?<!${letter})(?:${source})(?!${letter})` : source;
  try {
    return new RegExp(whole, isCaseSensitive ? 'u' : 'iu');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BerthError('bad_request', `That is no regular expression: ${why}.`, { field: 'text' });
  }
}

/**
 * The longest part of a text that each line has which matches, byte by byte: signs of ASCII, and letters that have no case.
 * Undefined where there is none. In any case, k and s are signs beyond ASCII as well: the one for Kelvin, and the long s.
 */
export function needleOf({ text = '', regex, caseSensitive }: FindQuery): string | undefined {
  if (regex === true) {
    return undefined;
  }
  const parts = text.match(caseSensitive === true ? /[ -~\p{Lo}]+/gu : /[ -JL-RT-jl-rt-~\p{Lo}]+/gu);
  const [longest] = [...(parts ?? [])].sort((one, other) => other.length - one.length);
  return longest;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function linesOf(piece: TextPiece, expression: RegExp, limit: number): FoundInFile[] {
  const content = piece.content.toString('utf8');
  const found: FoundInFile[] = [];
  let line = piece.line - 1;
  for (let from = 0; from <= content.length && found.length < limit;) {
    const end = content.indexOf('\n', from);
    const text = content.slice(from, end < 0 ? undefined : end).replace(/\r$/, '');
    line++;
    const match = expression.exec(text);
    if (match !== null) {
      found.push({ line, column: match.index + 1, length: match[0].length, text: shown(text, match.index) });
    }
    from = end < 0 ? content.length + 1 : end + 1;
  }
  return found;
}

function shown(text: string, at: number): string {
  if (text.length <= maxTextLength) {
    return text;
  }
  const from = Math.max(0, Math.min(at - shownBefore, text.length - maxTextLength));
  return `${from > 0 ? '…' : ''}${text.slice(from, from + maxTextLength)}${from + maxTextLength < text.length ? '…' : ''}`;
}
