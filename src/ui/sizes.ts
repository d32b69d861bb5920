/** Sizes as people read and type them in a window: with the decimal mark of its language. Units are those of `api/rules/sizes`. */
import * as vscode from 'vscode';
import { formatBytes as plainBytes, mebibyte } from '../api/rules/sizes';

const marks = new Map<string, string>();

/** What stands before the decimals in the language of the window. */
function decimalMark(): string {
  const { language } = vscode.env;
  const known = marks.get(language);
  if (known !== undefined) return known;
  const parts = new Intl.NumberFormat(language, { numberingSystem: 'latn' }).formatToParts(1.5);
  const mark = parts.find(({ type }) => type === 'decimal')?.value ?? '.';
  marks.set(language, mark);
  return mark;
}

/** A size that was written with a point, as the engine and the rules for sizes write it. */
export function localSize(text: string): string {
  return text.replace(/(\d)\.(?=\d)/, (_, digit: string) => digit + decimalMark());
}

/** Bytes for people: `0 B`, `1.5 KiB` (in German `1,5 KiB`), `12 MiB`. */
export function formatBytes(bytes: number): string {
  return localSize(plainBytes(bytes));
}

/** MiB for people: `512 MiB`, `2.0 GiB`. */
export function formatMiB(mebibytes: number): string {
  return formatBytes(mebibytes * mebibyte);
}

/** Thousands, as they are written where the decimal mark is a comma, or were meant where it is not known to be one. */
const thousands = /^\s*[1-9]\d{0,2}[.,]\d{3}(?!\d)/;

/**
 * A number that was typed in the language of the window, as the rules for sizes read it: `1,5 GiB` is `1.5 GiB` in German. What
 * may have been meant as thousands is none that they read.
 */
export function typedNumber(text: string): string {
  if (decimalMark() === ',' && thousands.test(text)) return `? ${text}`;
  return decimalMark() === ',' ? text.replace(/^(\s*\d+),(?=\d)/, '$1.') : text;
}
