/** File names as git writes them: as they are, or in quotes with the escapes of C where a line of others could not hold them. */
import { encodeName, hasEscapes } from '../../api/files/file-names';

const short: Readonly<Record<number, string>> = {
  ...{ 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' },
};
/** What would end a line, drive a terminal, or turn the direction of text around; and what quotes themselves are made of. */
const special = /[\p{Cc}\u2028-\u202e\u2066-\u2069"\\]/u;

/** In quotes; what is not of ASCII is three octal digits for each byte. */
export function cQuoted(name: string): string {
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
  const shown = [...encodeName(name)].map(
    (byte) => short[byte] ?? (byte < 32 || byte >= 127 ? octal(byte) : String.fromCharCode(byte)),
  );
  return `"${shown.join('')}"`;
}

/** As git does it with `core.quotePath=false`, and names that are no text are quoted as well. */
export function gitName(name: string): string {
  return special.test(name) || hasEscapes(name) ? cQuoted(name) : name;
}
