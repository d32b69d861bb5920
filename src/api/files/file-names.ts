/**
 * File names are bytes, ours are text: a byte NN that is not part of valid UTF-8 is U+EFNN (U+EF80 to U+EFFF), and
 * a genuine character of that range is written as its three bytes, each escaped so. One to one; lone surrogates,
 * which URIs can't carry, are not used. images/tools/agent/names.py does the same inside volumes.
 */
export const escapeBase = 0xef00;
const firstEscaped = 0xef80;
const lastEscaped = 0xefff;

/** Whether a character stands for a byte. */
export function isEscape(code: number): boolean {
  return code >= firstEscaped && code <= lastEscaped;
}

/** True for text that is not simply the UTF-8 of the name. */
export function hasEscapes(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (isEscape(text.charCodeAt(index))) {
      return true;
    }
  }
  return false;
}

/** The bytes of a name. */
export function encodeName(text: string): Buffer {
  if (!hasEscapes(text)) {
    return Buffer.from(text);
  }
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.charCodeAt(0);
    parts.push(isEscape(code) ? Buffer.from([code - escapeBase]) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}
