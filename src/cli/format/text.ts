/** Text that came from guests and other tools, made safe and measurable for a terminal. */

const ansi = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Control characters, of ASCII and of Latin-1: a file's name must not drive the terminal. */
const control = /\p{Cc}/gu;

/** Every control character replaced by `?`. */
export function printable(text: string): string {
  return text.replace(control, '?');
}

/** Columns that a text takes; colours take none. */
export function width(text: string): number {
  let columns = 0;
  for (const character of text.replace(ansi, '')) {
    columns += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  }
  return columns;
}

/** Shortened to so many columns, with an ellipsis when something is missing. */
export function clip(text: string, columns: number): string {
  if (width(text) <= columns) {
    return text;
  }
  let kept = '';
  for (const character of text) {
    if (width(kept + character) > columns - 1) {
      break;
    }
    kept += character;
  }
  return `${kept}…`;
}

/** Unicode's blocks of wide characters: Hangul, CJK, full-width forms, pictographs. */
function isWide(point: number): boolean {
  return (
    (point >= 0x1100 && point <= 0x115f) ||
    (point >= 0x2e80 && point <= 0xa4cf) ||
    (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0xfe30 && point <= 0xfe6f) ||
    (point >= 0xff00 && point <= 0xff60) ||
    (point >= 0x1f300 && point <= 0x1faff)
  );
}
